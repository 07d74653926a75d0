// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../libraries/Bitmap.sol";
import {Clock, PhaseClock} from "../libraries/PhaseClock.sol";
import {RoundNo, RunId, SiteId} from "../types/Ids.sol";
import {Phase} from "../types/Phase.sol";
import {Opening} from "./Opening.sol";

/// @title Phase Keying, of masked studies
abstract contract Keying is Opening {
    using Bitmap for uint256;
    using PhaseClock for Clock;

    /// @dev Before the limit no sum over fewer sites than this is begun.
    uint256 private constant FEWEST = 5;

    /// @dev Bytes by which a held deal is named, and of a secret that is hidden.
    uint256 private constant NAME = 20;
    uint256 private constant HIDDEN = 32;

    /// @dev What a site keys with.
    struct KeyedWith {
        bytes32 dealDigest;
        bytes32 dealCid;
        uint256 holds;
        bytes heldDeals;
    }

    function _key(RunId id, Run storage run, RoundNo number, SiteId site, KeyedWith memory k) internal {
        // Check: it may still act, the others deal to it, and it names members
        (Round storage r, Clock memory c) = _current(id, run, number, Phase.Keying);
        uint256 approvals = _approved(run, site);
        _inRota(id, number, r, site);
        if (k.dealDigest == 0 || k.dealCid == 0) revert RoundCoordinator_ZeroDigest();
        if (k.holds & ~r.rota != 0) revert RoundCoordinator_NoSuchDeal(id, number, k.holds & ~r.rota);
        uint256 expected = NAME * k.holds.size() + HIDDEN * (k.holds & (Bitmap.only(site) - 1)).size();
        if (k.heldDeals.length != expected) revert RoundCoordinator_WrongHeldDeals(id, number, expected, k.heldDeals.length);
        uint256 keyed = _keyed(r, c);
        if (keyed.has(site)) revert RoundCoordinator_AlreadyKeyed(id, number, site);
        if (_abstained(r, c).has(site)) revert RoundCoordinator_AlreadyAbstained(id, number, site);
        if (!r.awaited.has(site)) revert RoundCoordinator_NotAwaited(id, number, site);
        // Effect: the site may contribute
        keyed |= Bitmap.only(site);
        r.keyed = keyed;
        _flag(r, c, PhaseClock.KEYED);
        emit Keyed(id, number, site, k.dealDigest, k.dealCid, k.holds, k.heldDeals);
        _endWhenAllKeyed(id, run, r, c, approvals);
    }

    /// @dev Its limit is held apart from the others, where PhaseClock looks for that of Contributing.
    function _keyingPassed(Run storage run, uint256 word) internal view returns (bool) {
        return PhaseClock.thirdsPassed(PhaseClock.inPhase(word, Phase.Contributing), run.keyingLimit, 3);
    }

    /// @dev The limit has passed.
    function _endKeying(RunId id, Run storage run, Round storage r, Clock memory c) internal {
        if (_keyed(r, c).size() < _enough(run, c)) _void(id, run, Phase.Keying);
        else _beginContributing(id, run, r, c);
    }

    function _endWhenAllKeyed(RunId id, Run storage run, Round storage r, Clock memory c, uint256 approvals) internal {
        uint256 keyed = _keyed(r, c);
        uint256 count = keyed.size();
        bool allHere = r.awaited & approvals & ~keyed == 0;
        if (allHere && count >= _enough(run, c) && count >= FEWEST) _beginContributing(id, run, r, c);
    }

    /// @dev From here on who keyed never changes.
    function _beginContributing(RunId id, Run storage run, Round storage r, Clock memory c) private {
        r.awaited &= r.keyed;
        _begin(id, run.round, r, c, Phase.Contributing);
    }
}
