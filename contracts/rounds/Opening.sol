// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../libraries/Bitmap.sol";
import {Clock, PhaseClock} from "../libraries/PhaseClock.sol";
import {Rota} from "../libraries/Rota.sol";
import {NO_SITE, RoundNo, RunId, SiteId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {RunState} from "../types/RunState.sol";
import {RoundStore} from "./RoundStore.sol";

/// @title How rounds open, and what follows when one comes to nothing
abstract contract Opening is RoundStore {
    using Bitmap for uint256;
    using PhaseClock for Clock;

    uint8 internal constant VOIDS_TO_PAUSE = 3;
    uint8 internal constant PAUSED_BY_VOIDS = 0;
    uint8 internal constant PAUSED_TOO_FEW = 1;
    uint8 internal constant PAUSED_BY_PUBLICATIONS = 2;
    uint8 internal constant ENDED_BY_PUBLICATIONS = 0;
    uint8 internal constant ENDED_BY_MODEL = 1;
    /// @dev Publications of a round whose set alone may be unmasked, over all its pauses: an attempt is eight bits, and a row begins that can be whole.
    uint256 internal constant MOST_PUBLICATIONS = 240;

    /// @dev Opens the next round, or pauses the run when too few sites would be in it. On a model of which a masked sum is published
    /// none opens.
    /// A deep one awaits every site of its rota: where a frozen set came to nothing every sound site counts, the slowest too.
    function _openRound(RunId id, Run storage run, bool deep) internal {
        if (_isRevealed(run)) {
            _end(id, run, ENDED_BY_MODEL);
            return;
        }
        (uint256 rota, uint32 epoch) = STUDIES.rotaNow(run.study);
        if (rota.size() < run.minSites) {
            _pause(id, run, PAUSED_TOO_FEW);
            return;
        }
        RoundNo number = RoundNo.wrap(RoundNo.unwrap(run.opened) + 1);
        Round storage r = _slot(run, number);
        (r.rota, r.awaited) = (rota, deep ? rota : _awaitedNext(run, rota));
        SiteId leader = _takeTurn(run, rota);
        uint256 turn = rota.below(leader);
        (run.round, run.opened) = (number, number);
        (run.lastLeader, run.anyReady) = (leader, false);
        r.clock = _firstClock(run, r, turn, leader, epoch).pack();
        emit RoundOpened(id, number, leader, uint16(turn), rota, r.awaited, run.modelRoot, run.modelCid, epoch);
    }

    /// @dev The round is contributed afresh; the third in a row pauses the run. What was frozen and came to nothing may have been
    /// held by liars alone: then all of the rota is asked at once. Once a masked sum is published the round stays, for its set alone may be unmasked.
    function _void(RunId id, Run storage run, Phase phase) internal {
        if (_isRevealed(run)) {
            _keep(id, run);
            return;
        }
        bool last = ++run.voidsInARow == VOIDS_TO_PAUSE;
        emit RoundVoid(id, run.round, phase);
        bool deep = phase > Phase.Witnessing || PhaseClock.isDeep(_slot(run, run.round).clock);
        if (last) _pause(id, run, PAUSED_BY_VOIDS);
        else _openRound(id, run, deep && phase != Phase.Keying);
        if (!deep || run.state != RunState.Active) return;
        Round storage r = _slot(run, run.round);
        r.clock = PhaseClock.deepened(r.clock);
    }

    /// @dev Ends a pause when more than half of the members are ready and there are enough for a rota; of a round that stayed also
    /// so many of those who keyed that they can unmask it, whether or not their own updates are in its set. Where so many are members no more, nothing can come of the run.
    function _tryResume(RunId id, Run storage run, SiteId site) internal {
        uint256 members = STUDIES.membersNow(run.study);
        uint256 there = _ready(run) & members;
        (uint256 rota,) = STUDIES.rotaNow(run.study);
        if (!Rota.isMajority(there.size(), members.size())) return;
        Round storage r = _slot(run, run.round);
        Clock memory c = PhaseClock.unpack(r.clock);
        bool stays = c.phase == Phase.Publishing && _isRevealed(run);
        if (stays && (r.keyed & members).size() < c.settled) {
            _end(id, run, ENDED_BY_PUBLICATIONS);
            return;
        }
        if (rota.size() < run.minSites || (stays && (r.keyed & there).size() < c.settled)) return;
        run.state = RunState.Active;
        emit RunStateChanged(id, RunState.Active, site, 0);
        if (stays) {
            _begin(id, run.round, r, c, Phase.Publishing);
            return;
        }
        run.voidsInARow = 0;
        // Who was slow to say so is waited for as well
        run.ready = rota;
        _openRound(id, run, false);
    }

    /// @dev The site missed its turn.
    function _passOver(Run storage run, SiteId site) internal {
        Rota.Passes memory passes = run.anyPassed ? run.passes : Rota.Passes(0, 0);
        run.passes = Rota.passOver(passes, site);
        run.anyPassed = true;
    }

    function _ready(Run storage run) internal view returns (uint256) {
        return run.anyReady ? run.ready : 0;
    }

    /// @dev Publications before this one in its row: as many as discarded, but in a masked round that stayed.
    function _inRow(Run storage run, Clock memory c) internal view returns (uint256) {
        return run.masked ? c.attempt - c.heard : c.attempt;
    }

    /// @dev Of a masked run: another set of updates of this model would be unmasked beside the one that is.
    function _isRevealed(Run storage run) private view returns (bool) {
        return run.masked && run.revealed[run.modelRoot];
    }

    /// @dev A row of a round's publications is spent. Whoever could unmask it may be away, and whoever says that it is there may show no shares: the round waits,
    /// and is published anew, as often as attempts can be counted. In the clock's `heard`: the attempt at which the row begins.
    function _keep(RunId id, Run storage run) private {
        Round storage r = _slot(run, run.round);
        Clock memory c = PhaseClock.unpack(r.clock);
        if (c.phase == Phase.Attesting) ++c.attempt;
        if (c.attempt + Rota.PUBLICATIONS > MOST_PUBLICATIONS) {
            _end(id, run, ENDED_BY_PUBLICATIONS);
            return;
        }
        (c.phase, c.firstPlace, c.heard) = (Phase.Publishing, 0, c.attempt);
        r.clock = c.pack();
        _pause(id, run, PAUSED_BY_PUBLICATIONS);
    }

    function _end(RunId id, Run storage run, uint8 reason) internal {
        run.state = RunState.Ended;
        emit RunStateChanged(id, RunState.Ended, NO_SITE, reason);
    }

    function _pause(RunId id, Run storage run, uint8 reason) private {
        (run.state, run.anyReady) = (RunState.Paused, false);
        emit RunStateChanged(id, RunState.Paused, NO_SITE, reason);
    }

    function _takeTurn(Run storage run, uint256 rota) private returns (SiteId leader) {
        if (!run.anyPassed) return rota.next(run.lastLeader);
        Rota.Passes memory left;
        (leader, left) = Rota.nextTurn(rota, run.lastLeader, run.passes);
        (run.passes, run.anyPassed) = (left, left.low | left.high != 0);
    }

    function _firstClock(Run storage run, Round storage r, uint256 turn, SiteId leader, uint32 epoch) private view returns (Clock memory) {
        if (run.accounted) epoch |= PhaseClock.ACCOUNTED;
        (Phase first, uint256 least) = run.masked ? (Phase.Keying, Rota.unmaskThreshold(r.awaited.size())) : (Phase.Contributing, 0);
        return PhaseClock.opened(first, turn, leader, epoch, least);
    }

    /// @dev Of masked runs who is awaited alone deals and is dealt to: where those could come to nothing only, it is the whole rota.
    function _awaitedNext(Run storage run, uint256 rota) private view returns (uint256 awaited) {
        awaited = _stillThere(run, rota);
        if (run.masked && awaited.size() < run.quorum) awaited = rota;
    }

    function _stillThere(Run storage run, uint256 rota) private view returns (uint256) {
        if (RoundNo.unwrap(run.round) == 0) return rota;
        Round storage last = _slot(run, run.round);
        Clock memory c = PhaseClock.unpack(last.clock);
        uint256 signalled = _ready(run);
        // Who asked for more time and did not come cannot ask again at once.
        if (c.has(PhaseClock.EXTENDED)) signalled &= ~Bitmap.only(SiteId.wrap(c.asker));
        uint256 came = c.phase == Phase.Keying ? _keyed(last, c) & ~_abstained(last, c) : _contributed(last, c);
        return rota & (came | ~last.rota | signalled);
    }
}
