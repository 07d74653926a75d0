// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelLedger} from "./interfaces/IModelLedger.sol";
import {IRoundCoordinator} from "./interfaces/IRoundCoordinator.sol";
import {IPrivacyLedger} from "./interfaces/IPrivacyLedger.sol";
import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {IStudyRegistry} from "./interfaces/IStudyRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {Clock, PhaseClock} from "./libraries/PhaseClock.sol";
import {MaskedRounds} from "./MaskedRounds.sol";
import {ModelLedger} from "./ModelLedger.sol";
import {PrivacyLedger} from "./PrivacyLedger.sol";
import {Contributing} from "./rounds/Contributing.sol";
import {RoundStore} from "./rounds/RoundStore.sol";
import {RoundViews} from "./rounds/RoundViews.sol";
import {Evidence} from "./types/Disputes.sol";
import {NO_SITE, RoundNo, RunId, SiteId, StudyId} from "./types/Ids.sol";
import {Phase} from "./types/Phase.sol";
import {RunState} from "./types/RunState.sol";
import {Status} from "./types/Status.sol";
import {Mode, StudyRules} from "./types/Studies.sol";

/// @title RoundCoordinator
/// @notice The calls; what a call does in each phase is in rounds/, the rules in IRoundCoordinator. Calls of masked runs alone are in
/// MaskedRounds, and those by which a run stops and goes on.
contract RoundCoordinator is Contributing, RoundViews {
    using Bitmap for uint256;

    MaskedRounds private immutable MASKED;

    constructor(ISiteRegistry sites_, IStudyRegistry studies_) RoundStore(sites_, studies_, new ModelLedger(sites_, studies_), new PrivacyLedger(sites_, studies_)) {
        MASKED = new MaskedRounds(sites_, studies_, LEDGER, PRIVACY);
    }

    /// @notice The registry of sites that this one reads.
    function sites() external view returns (ISiteRegistry) {
        return SITES;
    }

    /// @notice The registry of studies that this one reads.
    function studies() external view returns (IStudyRegistry) {
        return STUDIES;
    }

    /// @notice The ledger that this one writes; made by its constructor.
    function ledger() external view returns (IModelLedger) {
        return LEDGER;
    }

    /// @notice The ledger that this one asks before it takes a contribution; made by its constructor.
    function privacy() external view returns (IPrivacyLedger) {
        return PRIVACY;
    }

    /// @inheritdoc IRoundCoordinator
    function openRun(StudyId study, bytes32 modelRoot, bytes32 modelCid) external returns (RunId id) {
        // Check: a member opens it on a model, with enough sites
        StudyRules memory rules = STUDIES.rulesOf(study);
        SiteId site = SITES.nodeSite(msg.sender);
        _memberNow(study, site);
        if (modelRoot == 0 || modelCid == 0) revert RoundCoordinator_ZeroDigest();
        (uint256 rota,) = STUDIES.rotaNow(study);
        if (rota.size() < rules.minSites) revert RoundCoordinator_TooFewSites(study, rota.size(), rules.minSites);
        // Effect: the run and its first round
        Run storage r;
        (id, r) = _new(study);
        (r.quorum, r.minSites, r.maxRounds, r.slices, r.exact) = (rules.quorum, rules.minSites, rules.maxRounds, rules.slices, rules.exact);
        (r.masked, r.wordBits) = (rules.mode == Mode.Masked, rules.wordBits);
        if (r.masked) r.keyingLimit = PhaseClock.packLimit(rules.limits[uint256(Phase.Keying)]);
        r.accounted = PRIVACY.begin(id, study);
        (r.lastLeader, r.limits, r.modelRoot, r.modelCid) = (NO_SITE, PhaseClock.packLimits(rules.limits), modelRoot, modelCid);
        emit RunOpened(id, study, site, modelRoot, modelCid);
        _openRound(id, r, false);
    }

    /// @inheritdoc IRoundCoordinator
    function key(RunId id, RoundNo, bytes32, bytes32, uint256, bytes calldata) external {
        _asMasked(id);
    }

    /// @inheritdoc IRoundCoordinator
    function justify(RunId id, RoundNo, bytes32, bytes calldata) external {
        _asMasked(id);
    }

    /// @inheritdoc IRoundCoordinator
    function contribute(RunId id, RoundNo round, bytes32 root, bytes32 cid, bytes32 cohortRoot, bytes32 opening) external {
        (Run storage r, SiteId site) = _enter(id);
        _contribute(id, r, round, site, Commitment(root, cid, cohortRoot, opening));
    }

    /// @inheritdoc IRoundCoordinator
    function abstain(RunId id, RoundNo round, uint8 reason) external {
        (Run storage r, SiteId site) = _enter(id);
        _abstain(id, r, round, site, reason);
    }

    /// @inheritdoc IRoundCoordinator
    function extend(RunId id, RoundNo round) external {
        (Run storage r, SiteId site) = _enter(id);
        _extend(id, r, round, site);
    }

    /// @inheritdoc IRoundCoordinator
    function witness(RunId id, RoundNo round, uint8 slice, uint256 held) external {
        (Run storage r, SiteId site) = _enter(id);
        _witness(id, r, round, site, slice, held);
    }

    /// @inheritdoc IRoundCoordinator
    function publish(RunId id, RoundNo round, uint8 attempt, bytes32 sumRoot, bytes32 sumCid) external {
        (Run storage r, SiteId site) = _enter(id);
        _publish(id, r, round, site, attempt, sumRoot, sumCid);
    }

    /// @inheritdoc IRoundCoordinator
    function attest(RunId id, RoundNo round, uint8 attempt, bytes32 modelRoot, bytes32 modelCid, Status status, bytes32 own) external {
        (Run storage r, SiteId site) = _enter(id);
        _attest(id, r, round, site, Tuple(attempt, modelRoot, modelCid, status, own));
    }

    /// @inheritdoc IRoundCoordinator
    function dispute(RunId id, RoundNo, Evidence calldata) external {
        _asMasked(id);
    }

    /// @inheritdoc IRoundCoordinator
    function disputePart(RunId id, RoundNo, Evidence calldata, uint256, bytes calldata) external {
        _asMasked(id);
    }

    /// @inheritdoc IRoundCoordinator
    function tick(RunId id) external {
        Run storage r = _known(id);
        if (r.state == RunState.Paused) _asMasked(id);
        else _advance(id, r);
    }

    /// @inheritdoc IRoundCoordinator
    function ready(RunId id) external {
        _asMasked(id);
    }

    /// @inheritdoc IRoundCoordinator
    function halt(RunId id, uint8) external {
        _asMasked(id);
    }

    /// @dev How every site's call begins: known run, known site, and the step of a limit that has passed.
    function _enter(RunId id) private returns (Run storage r, SiteId site) {
        r = _known(id);
        site = SITES.nodeSite(msg.sender);
        _advance(id, r);
    }

    /// @dev The same call of MaskedRounds, on this contract's storage, after what every call begins with; that it is a site's is looked at there.
    function _asMasked(RunId id) private {
        _advance(id, _known(id));
        address code = address(MASKED);
        assembly {
            // Nothing comes after it: its end is the end of the call.
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), code, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }

    /// @dev One step at most: what it begins, begins now.
    function _advance(RunId id, Run storage r) private {
        if (r.state != RunState.Active) return;
        Round storage slot = _slot(r, r.round);
        uint256 word = slot.clock;
        if (!PhaseClock.thirdsPassed(word, r.limits, 3)) return;
        if (PhaseClock.phaseOf(word) == Phase.Keying && !_keyingPassed(r, word)) return;
        Clock memory c = PhaseClock.unpack(word);
        if (c.phase == Phase.Keying) _endKeying(id, r, slot, c);
        else if (c.phase == Phase.Contributing) _endContributing(id, r, slot, c);
        else if (c.phase == Phase.Witnessing) _endWitnessing(id, r, slot, c);
        else if (c.phase == Phase.Publishing) _endPublishing(id, r, slot, c);
        else _endAttesting(id, r, slot, c);
    }
}
