// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SiteId} from "../types/Ids.sol";

/// @title Sets of sites as 256 bits
/// @notice Pure; no loop is longer than 8 steps.
library Bitmap {
    /// @notice The set of one site. Ids above 255 are no set: empty.
    function only(SiteId site) internal pure returns (uint256) {
        return 1 << SiteId.unwrap(site);
    }

    /// @notice Whether the site is in the set.
    function has(uint256 set, SiteId site) internal pure returns (bool) {
        return (set >> SiteId.unwrap(site)) & 1 == 1;
    }

    /// @notice How many sites are in the set, 0 to 256.
    /// @dev Sums neighbours in parallel (Warren, Hacker's Delight, 5-1); the last product would lose the carry of 256.
    function size(uint256 set) internal pure returns (uint256) {
        if (set == type(uint256).max) return 256;
        unchecked {
            set -= (set >> 1) & 0x5555555555555555555555555555555555555555555555555555555555555555;
            set =
                (set & 0x3333333333333333333333333333333333333333333333333333333333333333)
                    + ((set >> 2) & 0x3333333333333333333333333333333333333333333333333333333333333333);
            set = (set + (set >> 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
            return (set * 0x0101010101010101010101010101010101010101010101010101010101010101) >> 248;
        }
    }

    /// @notice Sites of the set with a lower id: the site's index in ascending order when it is in the set.
    function below(uint256 set, SiteId site) internal pure returns (uint256) {
        return size(set & (only(site) - 1));
    }

    /// @notice The site at an index in ascending order.
    /// @dev Halves the window; `index` must be less than the set's size.
    function pick(uint256 set, uint256 index) internal pure returns (SiteId) {
        uint256 low = 0;
        for (uint256 width = 128; width > 0; width >>= 1) {
            uint256 lower = size((set >> low) & ((1 << width) - 1));
            if (index >= lower) {
                index -= lower;
                low += width;
            }
        }
        return SiteId.wrap(uint16(low));
    }

    /// @notice The first site after `last` in cyclic order of ids; `last` itself comes last.
    /// @dev The set must not be empty. A `last` above 255 begins at the lowest id.
    function next(uint256 set, SiteId last) internal pure returns (SiteId) {
        uint256 higher = set & above(last);
        uint256 from = higher == 0 ? set : higher;
        return SiteId.wrap(uint16(Math.log2(from & (~from + 1))));
    }

    /// @notice All ids strictly above a site's.
    function above(SiteId site) internal pure returns (uint256) {
        uint256 id = SiteId.unwrap(site);
        return id >= 255 ? 0 : type(uint256).max << (id + 1);
    }

    /// @notice All ids strictly between two sites in cyclic order, going up from `from`.
    function between(SiteId from, SiteId to) internal pure returns (uint256) {
        uint256 lower = only(to) - 1;
        return SiteId.unwrap(from) < SiteId.unwrap(to) ? above(from) & lower : above(from) | lower;
    }
}
