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

    /// @dev Bytes of a justification: of a hundred sites with as many complaints as may be it is half as long.
    uint256 private constant LONGEST = 115_200;

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
        uint256 strangers = k.holds & (~r.rota | Bitmap.only(site));
        if (strangers != 0) revert RoundCoordinator_NoSuchDeal(id, number, strangers);
        uint256 below = k.holds.below(site);
        uint256 expected = NAME * k.holds.size() + HIDDEN * below;
        if (k.heldDeals.length != expected) revert RoundCoordinator_WrongHeldDeals(id, number, expected, k.heldDeals.length);
        uint256 keyed = _keyed(r, c);
        if (keyed.has(site)) revert RoundCoordinator_AlreadyKeyed(id, number, site);
        if (_abstained(r, c).has(site)) revert RoundCoordinator_AlreadyAbstained(id, number, site);
        if (!r.awaited.has(site)) revert RoundCoordinator_NotAwaited(id, number, site);
        if (_isJustifying(c)) revert RoundCoordinator_Justifying(id, number);
        // Effect: the site may contribute
        bytes32 held = _digestOf(site, k, below);
        if (keyed == 0) r.held = held;
        else if (r.held != held) r.held = DIFFER;
        keyed |= Bitmap.only(site);
        r.keyed = keyed;
        _flag(r, c, PhaseClock.KEYED);
        emit Keyed(id, number, site, k.dealDigest, k.dealCid, k.holds, k.heldDeals);
        _endWhenAllKeyed(id, run, r, c, approvals);
    }

    function _justify(RunId id, Run storage run, RoundNo number, SiteId site, bytes32 began, bytes calldata justification) internal {
        // Check: it may still act, and keyed where the deals that are held differ
        (Round storage r, Clock memory c) = _current(id, run, number, Phase.Keying);
        uint256 approvals = _approved(run, site);
        if (!_isJustifying(c)) revert RoundCoordinator_NotJustifying(id, number);
        if (!_keyed(r, c).has(site)) revert RoundCoordinator_NotKeyed(id, number, site);
        uint256 justified = r.justified;
        if (justified.has(site)) revert RoundCoordinator_AlreadyJustified(id, number, site);
        if (justification.length > LONGEST) revert RoundCoordinator_TooLong(id, number, justification.length, LONGEST);
        _checkHistory(id, number, c.sinceBlock, began);
        // Effect: nobody waits for it
        r.justified = justified | Bitmap.only(site);
        emit Justified(id, number, site, justification);
        _endWhenAllKeyed(id, run, r, c, approvals);
    }

    /// @dev Its limit is held apart from the others, where PhaseClock looks for that of Contributing.
    function _keyingPassed(Run storage run, uint256 word) internal view returns (bool) {
        return PhaseClock.thirdsPassed(PhaseClock.inPhase(word, Phase.Contributing), run.keyingLimit, 3);
    }

    /// @dev The limit has passed.
    function _endKeying(RunId id, Run storage run, Round storage r, Clock memory c) internal {
        uint256 keyed = _keyed(r, c);
        if (_isJustifying(c)) {
            // Who said nothing is waited for no more, in this round and the next
            r.abstained = _abstained(r, c) | (keyed & ~r.justified);
            r.awaited &= r.justified;
            _flag(r, c, PhaseClock.ABSTAINED);
            _endJustified(id, run, r, c);
        } else if (keyed.size() < _enough(run, c)) {
            _void(id, run, Phase.Keying);
        } else {
            _endHeld(id, run, r, c);
        }
    }

    function _endWhenAllKeyed(RunId id, Run storage run, Round storage r, Clock memory c, uint256 approvals) internal {
        uint256 keyed = _keyed(r, c);
        if (_isJustifying(c)) {
            if (keyed & approvals & ~_abstained(r, c) & ~r.justified == 0) _endJustified(id, run, r, c);
            return;
        }
        uint256 count = keyed.size();
        bool allHere = r.awaited & approvals & ~keyed == 0;
        if (allHere && count >= _enough(run, c) && count >= FEWEST) _endHeld(id, run, r, c);
    }

    /// @dev From here on who keyed never changes. Where all hold the same deals, the very ones that were keyed with, there is nothing to justify.
    function _endHeld(RunId id, Run storage run, Round storage r, Clock memory c) private {
        if (r.held != DIFFER) {
            _beginContributing(id, run, r, c);
            return;
        }
        (c.heard, r.justified) = (1, 0);
        _begin(id, run.round, r, c, Phase.Keying);
    }

    /// @dev Who keyed may only become fewer from here on: where too few are left, nobody trains for what must come to nothing.
    function _endJustified(RunId id, Run storage run, Round storage r, Clock memory c) private {
        uint256 left = r.keyed & ~_abstained(r, c);
        if (left.size() < _enough(run, c)) _void(id, run, Phase.Keying);
        else _beginContributing(id, run, r, c);
    }

    function _beginContributing(RunId id, Run storage run, Round storage r, Clock memory c) private {
        r.awaited &= r.keyed;
        c.heard = 0;
        _begin(id, run.round, r, c, Phase.Contributing);
    }

    /// @dev Over the deals that a site holds, its own among them: their dealers, and names in ascending order of these. Of two digests that are the same each
    /// names the deal that the other keyed with.
    /// @param below deals of dealers below the site; the names of these have what is hidden between them
    function _digestOf(SiteId site, KeyedWith memory k, uint256 below) private pure returns (bytes32 digest) {
        uint256 dealers = k.holds | Bitmap.only(site);
        bytes32 own = sha256(abi.encode(k.dealDigest, k.dealCid));
        bytes memory deals = k.heldDeals;
        assembly ("memory-safe") {
            // Behind the free pointer, which stays. Each name is written with what follows it, and the next one over that.
            let start := mload(0x40)
            mstore(start, dealers)
            let to := add(start, 32)
            let from := add(deals, 32)
            for { let end := add(to, mul(NAME, below)) } lt(to, end) { to := add(to, NAME) } {
                mstore(to, mload(from))
                from := add(from, add(NAME, HIDDEN))
            }
            mstore(to, own)
            to := add(to, NAME)
            let above := sub(add(add(deals, 32), mload(deals)), from)
            mcopy(to, from, above)
            digest := keccak256(start, sub(add(to, above), start))
        }
    }
}
