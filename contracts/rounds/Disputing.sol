// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../libraries/Bitmap.sol";
import {Clock, PhaseClock} from "../libraries/PhaseClock.sol";
import {Evidence, Facts} from "../types/Disputes.sol";
import {RoundNo, RunId, SiteId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {RunState} from "../types/RunState.sol";
import {LeafJudge} from "../LeafJudge.sol";
import {Attesting} from "./Attesting.sol";

/// @title Disputes: a publication shown to be wrong, before or after its round closed
abstract contract Disputing is Attesting, LeafJudge {
    using Bitmap for uint256;
    using PhaseClock for Clock;

    function _dispute(RunId id, Run storage run, RoundNo number, SiteId site, Evidence calldata e, uint256 done, bytes calldata partialSum) internal {
        // Check: a member, masked vectors, a publication that stands, and evidence
        if (!run.masked) revert RoundCoordinator_NotMasked(id);
        _memberNow(run.study, site);
        Round storage r = _slot(run, number);
        bool closed = _checkStanding(id, run, number, r);
        Facts memory f = Facts(id, number, run.wordBits, r.accumulator, r.included, r.sumRoot, done == 0 ? bytes32(0) : run.kept[site]);
        bytes32 kept = weigh(f, e, done, partialSum);
        // Effect: the partial sum, or the verdict
        if (done != 0 || kept != 0) run.kept[site] = kept;
        if (kept == 0) _strike(id, run, number, site, r, closed, e.leaf);
    }

    /// @dev Whether the round is closed; reverts when no publication of it can be disputed.
    function _checkStanding(RunId id, Run storage run, RoundNo number, Round storage r) private view returns (bool) {
        if (number == run.round && run.state == RunState.Active) {
            Phase phase = PhaseClock.phaseOf(r.clock);
            if (phase != Phase.Attesting) revert RoundCoordinator_WrongPhase(id, number, phase);
            return false;
        }
        bool stands = number == run.closed && _inRing(run, number) && !_frozenSince(run, number);
        if (run.state != RunState.Halted && run.state > RunState.Paused) stands = stands && !PhaseClock.thirdsPassed(PhaseClock.inPhase(r.clock, Phase.Publishing), run.limits, 3);
        if (!stands) revert RoundCoordinator_NotDisputable(id, number);
        return true;
    }

    /// @dev Whether a round after this one froze. All of them are in the ring when this one is.
    function _frozenSince(Run storage run, RoundNo number) private view returns (bool) {
        for (uint256 n = RoundNo.unwrap(number) + 1; n <= RoundNo.unwrap(run.opened); ++n) {
            if (PhaseClock.isFrozen(run.ring[n % RING].clock)) return true;
        }
        return false;
    }

    /// @dev The publication is void, and its publisher passed over. What stood on it goes back.
    function _strike(RunId id, Run storage run, RoundNo number, SiteId site, Round storage r, bool closed, uint32 leaf) private {
        Clock memory c = PhaseClock.unpack(r.clock);
        SiteId publisher = SiteId.wrap(c.publisher);
        emit Disputed(id, number, site, publisher, c.attempt, leaf);
        _passOver(run, publisher);
        if (closed) _reopen(id, run, number, site, c);
        // Closed once more, its ring slot would be the next round's
        bool last = closed && RoundNo.unwrap(run.opened) + 1 == RoundNo.unwrap(number) + RING;
        if (run.state == RunState.Active && !last) {
            _discard(id, run, r, c, true);
        } else {
            emit PublicationDiscarded(id, number, publisher, c.attempt, true);
            if (run.state == RunState.Active) _end(id, run, ENDED_BY_PUBLICATIONS);
        }
        // Interaction: the ledger, our own contract, calls nobody
        if (closed) LEDGER.strike(id, number, run.closedRounds == 0 ? bytes32(0) : run.modelRoot);
    }

    /// @dev The run stands again where it stood when the round was being attested. A halted one stays halted.
    function _reopen(RunId id, Run storage run, RoundNo number, SiteId site, Clock memory c) private {
        if (run.state == RunState.Active) emit RoundVoid(id, run.round, PhaseClock.phaseOf(_slot(run, run.round).clock));
        (run.modelRoot, run.modelCid) = (run.base.root, run.base.cid);
        (run.closedRounds, run.closed) = (run.closedRounds - 1, RoundNo.wrap(0));
        if (run.state == RunState.Halted) return;
        (run.round, run.lastLeader, run.voidsInARow) = (number, SiteId.wrap(c.leader), 0);
        if (run.state == RunState.Active) return;
        run.state = RunState.Active;
        emit RunStateChanged(id, RunState.Active, site, 0);
    }
}
