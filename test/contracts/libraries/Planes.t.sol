// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Planes} from "../../../contracts/libraries/Planes.sol";
import {hold} from "../support/Vm.sol";

/// @notice Against a counter for each site.
contract PlanesTest {
    using Planes for mapping(uint256 plane => uint256);

    mapping(uint256 plane => uint256) private _planes;
    uint256[256] private _counts;

    /// @dev Twice, with what the first count left in the planes.
    function testFuzz_CountsEachSite(uint256 seed, uint8 sets, uint8 least) external {
        for (uint256 again = 0; again < 2; ++again) {
            delete _counts;
            _count(seed, 1 + uint256(sets) % 20, 1 + uint256(least) % 20);
            seed = ~seed;
        }
    }

    /// @dev All sites, as many times as a rota can have custodians.
    function test_CountsTo256() external {
        uint256 all = type(uint256).max;
        for (uint256 i = 0; i < 256; ++i) {
            uint256 named = _planes.add(i, i < 129 ? all : all << 1, 129);
            hold(named == (i < 128 ? 0 : all), "129 name all");
        }
        hold(_planes[8] == all << 1 && _planes[7] == 1 && _planes[0] == 1, "256, and 129 of the first site");
    }

    function _count(uint256 seed, uint256 sets, uint256 least) private {
        for (uint256 i = 0; i < sets; ++i) {
            uint256 set = uint256(keccak256(abi.encode(seed, i)));
            if (i % 3 > 0) set |= uint256(keccak256(abi.encode(seed, i + sets)));
            uint256 named = _planes.add(i, set, least);
            uint256 slow = 0;
            for (uint256 site = 0; site < 256; ++site) {
                _counts[site] += (set >> site) & 1;
                if (_counts[site] >= least) slow |= 1 << site;
            }
            hold(named == slow, "named often enough");
        }
    }
}
