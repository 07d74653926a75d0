// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title How many sets name each site, in planes of bits
/// @notice Bit s of plane p is bit p of site s's count: one step a plane raises or compares all 256 counts. Of `sets` sets, the
/// planes below their number's bit length are valid; what lies in the others is never read.
library Planes {
    /// @notice Counts one more set, and tells the sites that `least` sets name now.
    /// @param sets how many were counted before
    /// @param least at least 1
    function add(mapping(uint256 plane => uint256) storage planes, uint256 sets, uint256 set, uint256 least) internal returns (uint256 named) {
        uint256 all = sets + 1;
        named = type(uint256).max;
        for (uint256 p = 0; all >> p != 0; ++p) {
            uint256 carry = sets >> p == 0 ? 0 : planes[p];
            uint256 plane = carry ^ set;
            planes[p] = plane;
            set &= carry;
            // From the lowest bit on: a higher one outweighs what those below it say
            named = (least >> p) & 1 == 1 ? named & plane : named | plane;
        }
        if (all < least) named = 0;
    }
}
