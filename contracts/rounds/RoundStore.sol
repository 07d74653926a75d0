// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelLedger} from "../interfaces/IModelLedger.sol";
import {IRoundEvents} from "../interfaces/IRoundEvents.sol";
import {IPrivacyLedger} from "../interfaces/IPrivacyLedger.sol";
import {ISiteRegistry} from "../interfaces/ISiteRegistry.sol";
import {IStudyRegistry} from "../interfaces/IStudyRegistry.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {Clock, PhaseClock} from "../libraries/PhaseClock.sol";
import {Rota} from "../libraries/Rota.sol";
import {RoundNo, RunId, SiteId, StudyId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {RunState} from "../types/RunState.sol";

/// @title What is stored of runs and rounds
/// @notice A run keeps its last 8 rounds in a ring. Slots are written over, never cleared: the clock's flags and counts say
/// which words are of this round, so a call costs the same in round 1,000 as in round 10.
abstract contract RoundStore is IRoundEvents {
    using Bitmap for uint256;
    using PhaseClock for Clock;

    uint256 internal constant RING = 8;

    /// @dev A chain that goes back goes back less far; older blocks' hashes are not known.
    uint256 private constant HASHES = 256;

    /// @dev In place of a digest of what all hold: they hold others.
    bytes32 internal constant DIFFER = bytes32(uint256(1));

    /// @dev The first word is what every call reads; the second what opening and closing read. `opened`: the highest number that a
    /// round had; above `round` after a dispute of a closed round. `accounted`: contributions are charged. Of masked runs alone: `closed`, the last closed round; `base`,
    /// the model it began from; `keyingLimit`, as in `limits`; `kept`, digests of partial sums; `revealed`, models of which a sum over
    /// updates was published.
    struct Run {
        StudyId study;
        RunState state;
        RoundNo round;
        uint8 slices;
        uint16 quorum;
        uint160 limits;
        uint32 closedRounds;
        uint32 maxRounds;
        uint16 minSites;
        SiteId lastLeader;
        uint8 voidsInARow;
        bool exact;
        bool anyReady;
        bool anyPassed;
        RoundNo opened;
        bool masked;
        uint8 wordBits;
        RoundNo closed;
        uint40 keyingLimit;
        bool accounted;
        bytes32 modelRoot;
        bytes32 modelCid;
        uint256 ready;
        Rota.Passes passes;
        Model base;
        mapping(SiteId site => bytes32) kept;
        mapping(bytes32 modelRoot => bool) revealed;
        Round[RING] ring;
    }

    /// @dev `begun`: slices of which somebody witnessed. `tallies`: distinct tuples of the attempt in order of arrival, each
    /// the tuple's hash but its last 2 bytes, and the count in these. `extended`: times that places were added
    /// to a slice, of this round only when the clock counts extensions. `planes`: of a deep round, how many bitmaps of a slice name
    /// each update; the number of those who witnessed says which planes are of this round. Of masked rounds alone: `keyed`; `held`, over the deals that each of these holds
    /// while all hold the same, else DIFFER; `justified`, of this round only where they differ and Keying is past, or deals are being justified.
    struct Round {
        uint256 clock;
        uint256 rota;
        uint256 awaited;
        uint256 contributed;
        uint256 abstained;
        bytes32 accumulator;
        uint256 included;
        uint256 begun;
        bytes32 sumRoot;
        bytes32 sumCid;
        uint256 attested;
        uint256 keyed;
        bytes32 held;
        uint256 justified;
        mapping(uint256 index => uint256) tallies;
        mapping(uint256 slice => uint256) extended;
        mapping(uint256 slice => Bitmaps) slices;
        mapping(uint256 slice => mapping(uint256 plane => uint256)) planes;
    }

    /// @dev Of one slice: who witnessed, updates named by one bitmap at least, by two at least; of a deep round both are those
    /// that a majority of the rota names.
    struct Bitmaps {
        uint256 witnessed;
        uint256 once;
        uint256 twice;
    }

    struct Model {
        bytes32 root;
        bytes32 cid;
    }

    ISiteRegistry internal immutable SITES;
    IStudyRegistry internal immutable STUDIES;
    IModelLedger internal immutable LEDGER;
    IPrivacyLedger internal immutable PRIVACY;

    uint32 internal _runCount;
    mapping(RunId run => Run) private _runs;

    constructor(ISiteRegistry sites_, IStudyRegistry studies_, IModelLedger ledger_, IPrivacyLedger privacy_) {
        (SITES, STUDIES, LEDGER, PRIVACY) = (sites_, studies_, ledger_, privacy_);
    }

    function _new(StudyId study) internal returns (RunId id, Run storage run) {
        id = RunId.wrap(++_runCount);
        run = _runs[id];
        run.study = study;
    }

    function _known(RunId id) internal view returns (Run storage run) {
        run = _runs[id];
        if (StudyId.unwrap(run.study) == 0) revert RoundCoordinator_UnknownRun(id);
    }

    function _slot(Run storage run, RoundNo number) internal view returns (Round storage) {
        return run.ring[RoundNo.unwrap(number) % RING];
    }

    /// @dev The current round, when it is this one and in this phase.
    function _current(RunId id, Run storage run, RoundNo number, Phase phase) internal view returns (Round storage r, Clock memory c) {
        if (run.state != RunState.Active) revert RoundCoordinator_RunNotActive(id, run.state);
        if (number != run.round) revert RoundCoordinator_NotCurrentRound(id, number, run.round);
        r = _slot(run, number);
        c = PhaseClock.unpack(r.clock);
        if (c.phase != phase) revert RoundCoordinator_WrongPhase(id, number, c.phase);
    }

    /// @dev All sites that approve the study, of which the caller's must be one.
    function _approved(Run storage run, SiteId site) internal view returns (uint256 approvals) {
        approvals = STUDIES.approvals(run.study);
        if (!approvals.has(site)) revert RoundCoordinator_NotApproved(run.study, site);
    }

    function _inRota(RunId id, RoundNo number, Round storage r, SiteId site) internal view {
        if (!r.rota.has(site)) revert RoundCoordinator_NotInRota(id, number, site);
    }

    function _checkNotOver(RunId id, Run storage run) internal view {
        if (run.state > RunState.Paused) revert RoundCoordinator_RunNotActive(id, run.state);
    }

    function _memberNow(StudyId study, SiteId site) internal view {
        if (!STUDIES.membersNow(study).has(site)) revert RoundCoordinator_NotMember(study, site);
    }

    function _contributed(Round storage r, Clock memory c) internal view returns (uint256) {
        return c.has(PhaseClock.CONTRIBUTED) ? r.contributed : 0;
    }

    function _abstained(Round storage r, Clock memory c) internal view returns (uint256) {
        return c.has(PhaseClock.ABSTAINED) ? r.abstained : 0;
    }

    function _keyed(Round storage r, Clock memory c) internal view returns (uint256) {
        return c.has(PhaseClock.KEYED) ? r.keyed : 0;
    }

    /// @dev In the clock's `heard`, which Witnessing counts in from 0.
    function _isJustifying(Clock memory c) internal pure returns (bool) {
        return c.phase == Phase.Keying && c.heard != 0;
    }

    function _justified(Round storage r, Clock memory c) internal view returns (uint256) {
        bool did = c.phase == Phase.Keying ? c.heard != 0 : c.has(PhaseClock.KEYED) && r.held == DIFFER;
        return did ? r.justified : 0;
    }

    /// @dev The caller knew this block when it made the call, by its hash, or does not say (0). In the block itself nobody knows that: the call was made before the chain went back.
    function _checkHistory(RunId id, RoundNo number, uint256 known, bytes32 hash) internal view {
        if (hash != 0 && hash != blockhash(known) && block.number <= known + HASHES) revert RoundCoordinator_OtherOpening(id, number, known);
    }

    /// @dev How many have to be in, until the first publication. Of masked updates so many that the frozen set can rebuild the secrets of
    /// those who dropped out.
    function _enough(Run storage run, Clock memory c) internal view returns (uint256) {
        return c.tuples > run.quorum ? c.tuples : run.quorum;
    }

    function _flag(Round storage r, Clock memory c, uint8 flag) internal {
        if (c.has(flag)) return;
        c.flags |= flag;
        r.clock = c.pack();
    }

    /// @dev A phase, attempt or extension begins now.
    function _begin(RunId id, RoundNo number, Round storage r, Clock memory c, Phase phase) internal {
        c.begin(phase);
        r.clock = c.pack();
        emit PhaseBegan(id, number, phase, c.attempt);
    }
}
