// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../libraries/Bitmap.sol";
import {Clock, PhaseClock} from "../libraries/PhaseClock.sol";
import {Rota} from "../libraries/Rota.sol";
import {RoundNo, RunId, SiteId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {Opening} from "./Opening.sol";

/// @title Phase Publishing, and the next attempt
abstract contract Publishing is Opening {
    using Bitmap for uint256;
    using PhaseClock for Clock;

    /// @dev Thirds of the limit that an attempt lasts at least.
    uint256 private constant WHOLE = 3;

    function _publish(RunId id, Run storage run, RoundNo number, SiteId site, uint8 attempt, bytes32 sumRoot, bytes32 sumCid) internal {
        // Check: this attempt, a place whose time has come
        (Round storage r, Clock memory c) = _current(id, run, number, Phase.Publishing);
        if (attempt != c.attempt) revert RoundCoordinator_WrongAttempt(id, number, attempt, c.attempt);
        _approved(run, site);
        _checkTurn(id, run, r, c, site);
        if (sumRoot == 0 || sumCid == 0) revert RoundCoordinator_ZeroDigest();
        // Effect: the sum awaits its attestations
        (r.sumRoot, r.sumCid) = (sumRoot, sumCid);
        if (attempt == 0 && c.flags & PhaseClock.KEYED != 0) {
            run.revealed[run.modelRoot] = true;
            (c.heard, c.settled) = (0, uint8(c.tuples));
        }
        (c.publisher, c.tuples, c.flags) = (uint8(SiteId.unwrap(site)), 0, c.flags & ~PhaseClock.ATTESTED);
        emit Published(id, number, site, attempt, sumRoot, sumCid);
        _begin(id, number, r, c, Phase.Attesting);
    }

    /// @dev The whole limit has passed; the last places may still have time.
    function _endPublishing(RunId id, Run storage run, Round storage r, Clock memory c) internal {
        uint256 places = r.rota.size() - c.firstPlace;
        if (places > WHOLE && !PhaseClock.thirdsPassed(r.clock, run.limits, places)) return;
        _passOver(run, Rota.siteAt(r.rota, c.turn, c.firstPlace));
        _void(id, run, Phase.Publishing);
    }

    /// @dev The next place publishes, or the round is void. Attempts of a round that stays are counted on.
    function _discard(RunId id, Run storage run, Round storage r, Clock memory c, bool wrongSum) internal {
        uint256 n = r.rota.size();
        SiteId publisher = SiteId.wrap(c.publisher);
        uint256 next = Rota.placeOf(r.rota, n, c.turn, publisher) + 1;
        emit PublicationDiscarded(id, run.round, publisher, c.attempt, wrongSum);
        if (next == n || _inRow(run, c) + 1 == Rota.publications(n)) {
            _void(id, run, Phase.Attesting);
            return;
        }
        (c.attempt, c.firstPlace) = (c.attempt + 1, uint8(next));
        _begin(id, run.round, r, c, Phase.Publishing);
    }

    /// @dev Also notes whose turn the publisher took over. The leader in its turn needs no look at the rota.
    function _checkTurn(RunId id, Run storage run, Round storage r, Clock memory c, SiteId site) private {
        if (SiteId.unwrap(site) == c.leader && c.firstPlace == 0) return;
        uint256 rota = r.rota;
        _inRota(id, run.round, r, site);
        uint256 place = Rota.placeOf(rota, rota.size(), c.turn, site);
        if (place == c.firstPlace) return;
        bool early = place < c.firstPlace || !PhaseClock.thirdsPassed(r.clock, run.limits, place - c.firstPlace);
        if (early) revert RoundCoordinator_NotItsTurn(id, run.round, site, place, c.firstPlace);
        _passOver(run, Rota.siteAt(rota, c.turn, c.firstPlace));
    }
}
