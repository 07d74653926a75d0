// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../libraries/Bitmap.sol";
import {Clock, PhaseClock} from "../libraries/PhaseClock.sol";
import {Rota} from "../libraries/Rota.sol";
import {NO_SITE, RoundNo, RunId, SiteId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {RunState} from "../types/RunState.sol";
import {Status} from "../types/Status.sol";
import {Publishing} from "./Publishing.sol";

/// @title Phase Attesting, and how rounds end
abstract contract Attesting is Publishing {
    using Bitmap for uint256;
    using PhaseClock for Clock;

    /// @dev Low bits of a tally: the count; the rest is of the tuple's hash.
    uint256 private constant COUNT = 0xffff;

    /// @dev What a site attests.
    struct Tuple {
        uint8 attempt;
        bytes32 root;
        bytes32 cid;
        Status status;
        bytes32 own;
    }

    function _attest(RunId id, Run storage run, RoundNo number, SiteId site, Tuple memory t) internal {
        // Check: a publication in the ring, a site of its frozen set, a tuple that can be
        if (!_inRing(run, number)) revert RoundCoordinator_NotCurrentRound(id, number, run.round);
        Round storage r = _slot(run, number);
        Clock memory c = PhaseClock.unpack(r.clock);
        uint256 publications = _publications(c);
        if (t.attempt >= publications) revert RoundCoordinator_WrongAttempt(id, number, t.attempt, uint8(publications));
        _approved(run, site);
        uint256 included = r.included;
        if (!included.has(site)) revert RoundCoordinator_NotIncluded(id, number, site);
        _checkTuple(t);
        bool live = run.state == RunState.Active && number == run.round && c.phase == Phase.Attesting && t.attempt == c.attempt;
        // Effect: recorded, counted while it matters
        uint256 attested = uint256(t.attempt) + 1 == publications ? _mark(id, number, r, c, site) : 0;
        uint256 count = live ? _count(r, c, t) : 0;
        emit Attested(id, number, site, t.attempt, t.root, t.cid, t.status, t.own);
        if (!live) return;
        if (Rota.isMajority(count, included.size())) _decide(id, run, r, c, t);
        else if (attested == included) _endAttesting(id, run, r, c);
    }

    /// @dev All attested or the limit has passed, and no tuple has a majority. Nor does what the fewer say of a refusal count then: the model that it
    /// names becomes the run's, and liars among them could have made that up.
    function _endAttesting(RunId id, Run storage run, Round storage r, Clock memory c) internal {
        _discard(id, run, r, c, false);
    }

    /// @dev Publications made in a round.
    function _publications(Clock memory c) internal pure returns (uint256) {
        return c.phase == Phase.Attesting ? uint256(c.attempt) + 1 : c.attempt;
    }

    function _inRing(Run storage run, RoundNo number) internal view returns (bool) {
        if (number == run.round) return true;
        uint256 last = RoundNo.unwrap(run.opened);
        uint256 asked = RoundNo.unwrap(number);
        return asked > 0 && asked <= last && asked + RING > last;
    }

    function _decide(RunId id, Run storage run, Round storage r, Clock memory c, Tuple memory t) private {
        if (t.status == Status.WrongSum) _discard(id, run, r, c, true);
        else if (t.status == Status.Refused) _refuse(id, run, c.attempt, t.root, t.cid);
        else _close(id, run, r, c, t);
    }

    function _close(RunId id, Run storage run, Round storage r, Clock memory c, Tuple memory t) private {
        bytes32 base = run.modelRoot;
        (RoundNo number, uint32 closed) = (run.round, run.closedRounds + 1);
        if (run.masked) _rememberBase(run, r, c);
        (run.modelRoot, run.modelCid) = (t.root, t.cid);
        (run.closedRounds, run.voidsInARow) = (closed, 0);
        emit RoundClosed(id, number, t.attempt, t.status, t.root, t.cid);
        if (t.status == Status.Finished) _finish(id, run, 0);
        else if (closed == run.maxRounds) _finish(id, run, 1);
        else _openRound(id, run, false);
        // Interaction: the ledger, our own contract, calls nobody
        LEDGER.extend(id, number, base, r.sumRoot, t.root);
    }

    /// @dev A dispute may still strike it; `since` is when it closed, for a run that is over with it.
    function _rememberBase(Run storage run, Round storage r, Clock memory c) private {
        (run.base, run.closed) = (Model(run.modelRoot, run.modelCid), run.round);
        c.begin(Phase.Attesting);
        r.clock = c.pack();
    }

    function _refuse(RunId id, Run storage run, uint8 attempt, bytes32 root, bytes32 cid) private {
        (run.modelRoot, run.modelCid, run.voidsInARow) = (root, cid, 0);
        emit RoundRefused(id, run.round, attempt, root, cid);
        _openRound(id, run, false);
    }

    function _finish(RunId id, Run storage run, uint8 reason) private {
        run.state = RunState.Finished;
        emit RunStateChanged(id, RunState.Finished, NO_SITE, reason);
    }

    /// @dev Notes that the site attested the round's last publication.
    function _mark(RunId id, RoundNo number, Round storage r, Clock memory c, SiteId site) private returns (uint256 attested) {
        bool first = !c.has(PhaseClock.ATTESTED);
        attested = first ? 0 : r.attested;
        if (attested.has(site)) revert RoundCoordinator_AlreadyAttested(id, number, site);
        attested |= Bitmap.only(site);
        r.attested = attested;
        if (!first) return attested;
        c.flags |= PhaseClock.ATTESTED;
        r.clock = c.pack();
    }

    /// @dev Counts the tuple among those of the attempt: at most one a site, so the loop is bounded by the frozen set.
    function _count(Round storage r, Clock memory c, Tuple memory t) private returns (uint256 count) {
        uint256 key = uint256(keccak256(abi.encode(t.root, t.cid, t.status))) & ~COUNT;
        for (uint256 i = 0; i < c.tuples; ++i) {
            uint256 tally = r.tallies[i];
            if (tally & ~COUNT != key) continue;
            r.tallies[i] = tally + 1;
            return (tally + 1) & COUNT;
        }
        r.tallies[c.tuples] = key | 1;
        ++c.tuples;
        r.clock = c.pack();
        return 1;
    }

    function _checkTuple(Tuple memory t) private pure {
        bool empty = t.root == 0 && t.cid == 0;
        bool whole = t.root != 0 && t.cid != 0;
        bool fits = t.status == Status.WrongSum ? empty : whole;
        if (!fits) revert RoundCoordinator_BadTuple(t.status, t.root, t.cid);
    }
}
