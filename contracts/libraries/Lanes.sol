// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Privacy spent, as eight numbers in one word
/// @notice Rényi differential privacy at the orders 2, 3, 4, 6, 10, 14, 22, 36, a lane of 32 bits each, the first in the lowest bits, in units of
/// 2^-24. It adds up, so privacy spent is a sum; epsilon is the least over the orders of lane plus a constant of order and delta, so it
/// is within its limit as soon as one lane is. A lane never uses its highest bit: one addition adds all eight, one subtraction compares them.
/// Numbers are rounded before they come here: charges up, limits down.
library Lanes {
    /// @notice The highest bit of each lane.
    uint256 internal constant TOPS = 0x8000000080000000800000008000000080000000800000008000000080000000;
    /// @notice The lowest bit of each lane.
    uint256 internal constant ONES = 0x0000000100000001000000010000000100000001000000010000000100000001;

    /// @notice Lane by lane; one that would pass 2^31 - 1 stays there for good. Both words with no highest bit set.
    function add(uint256 spent, uint256 charge) internal pure returns (uint256) {
        // No overflow, and no carry into the next lane: both summands are below 2^31.
        unchecked {
            uint256 sum = spent + charge;
            uint256 full = sum & TOPS;
            return (sum & ~TOPS) | (full - (full >> 31));
        }
    }

    /// @notice Whether some lane is at most its limit.
    function isWithin(uint256 spent, uint256 limit) internal pure returns (bool) {
        // No borrow from the next lane: each has 2^31 more than its limit.
        unchecked {
            return ((limit | TOPS) - spent) & TOPS != 0;
        }
    }

    /// @notice Whether every lane is from 1 to 2^31 - 1: nothing is free.
    function isCharge(uint256 word) internal pure returns (bool) {
        unchecked {
            return word & TOPS == 0 && ((word | TOPS) - ONES) & TOPS == TOPS;
        }
    }

    /// @notice Whether every lane is below 2^31 - 1, which is more than any limit.
    function isLimit(uint256 word) internal pure returns (bool) {
        unchecked {
            return word & TOPS == 0 && (word + ONES) & TOPS == 0;
        }
    }
}
