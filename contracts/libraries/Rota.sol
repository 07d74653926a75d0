// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SiteId} from "../types/Ids.sol";
import {Bitmap} from "./Bitmap.sol";

/// @title Turns, places, quorums and majorities
/// @notice Pure rules of IRoundCoordinator.
library Rota {
    using Bitmap for uint256;

    /// @notice Turns for which a site that missed its own is passed over.
    uint256 internal constant PASSED_TURNS = 3;
    /// @notice Custodians of a slice, and places added to it at a time.
    uint256 internal constant CUSTODIANS = 3;
    /// @notice Publications that a round may have.
    uint256 internal constant PUBLICATIONS = 5;

    /// @notice How often each site is still passed over, 0 to 3, as two bits laid over the sites: 2·high + low.
    struct Passes {
        uint256 low;
        uint256 high;
    }

    /// @notice Whose turn comes after `last`, and the passes left after stepping over others.
    function nextTurn(uint256 rota, SiteId last, Passes memory passes) internal pure returns (SiteId leader, Passes memory left) {
        uint256 free = rota & ~(passes.low | passes.high);
        if (free == 0) return (rota.next(last), Passes(0, 0));
        leader = free.next(last);
        uint256 stepped = Bitmap.between(last, leader) & rota;
        left = Passes(passes.low ^ stepped, passes.high & ~(stepped & ~passes.low));
    }

    /// @notice Passes after a site missed its turn.
    function passOver(Passes memory passes, SiteId site) internal pure returns (Passes memory) {
        uint256 bit = Bitmap.only(site);
        return Passes(passes.low | bit, passes.high | bit);
    }

    /// @notice A site's place counted from the turn, or n when it is not in the rota.
    /// @param n the rota's size
    function placeOf(uint256 rota, uint256 n, uint256 turn, SiteId site) internal pure returns (uint256) {
        return rota.has(site) ? (rota.below(site) + n - turn) % n : n;
    }

    /// @notice The site at a place counted from the turn.
    function siteAt(uint256 rota, uint256 turn, uint256 place) internal pure returns (SiteId) {
        return rota.pick((turn + place) % rota.size());
    }

    /// @notice Custodians of a slice to which places were added so many times.
    function custodians(uint256 n, uint256 extensions) internal pure returns (uint256) {
        uint256 places = CUSTODIANS * (1 + extensions);
        return places < n ? places : n;
    }

    /// @notice Whether a place is one of a slice's first so many places.
    function isCustodian(uint256 n, uint256 place, uint256 slice, uint256 places) internal pure returns (bool) {
        return place < n && (place + n - (slice % n)) % n < places;
    }

    /// @notice Bitmaps that must name an update: in a deep round a majority of the rota's.
    function witnessQuorum(uint256 n, bool deep) internal pure returns (uint256) {
        return deep ? n / 2 + 1 : n < 2 ? n : 2;
    }

    /// @notice Shares that rebuild a secret, of those dealt to so many sites; so many sites' updates a masked sum has at least.
    /// @dev More than two thirds: of two sets that large more than a third of the sites are in both, so that one honest site among them
    /// releases one kind of share only. Of those who were awaited when Keying opened, as in node/core/masking/threshold.ts: every site
    /// knows them before it deals, and nobody lowers the threshold by staying away.
    function unmaskThreshold(uint256 members) internal pure returns (uint256) {
        // At most 256.
        unchecked {
            return 2 * members / 3 + 1;
        }
    }

    /// @notice Publications that a round with n sites may have.
    function publications(uint256 n) internal pure returns (uint256) {
        return n < PUBLICATIONS ? n : PUBLICATIONS;
    }

    /// @notice Whether a count is more than half of a set's size.
    function isMajority(uint256 count, uint256 size) internal pure returns (bool) {
        return 2 * count > size;
    }
}
