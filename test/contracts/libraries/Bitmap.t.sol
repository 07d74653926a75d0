// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../../../contracts/libraries/Bitmap.sol";
import {SiteId} from "../../../contracts/types/Ids.sol";
import {hold} from "../support/Vm.sol";

/// @notice Each operation against the slow way, bit by bit.
contract BitmapTest {
    using Bitmap for uint256;

    function testFuzz_SizeCountsBits(uint256 set) external pure {
        uint256 slow = 0;
        for (uint256 i = 0; i < 256; ++i) {
            if ((set >> i) & 1 == 1) ++slow;
        }
        hold(set.size() == slow, "size");
    }

    function test_SizeOfFullAndEmpty() external pure {
        hold(type(uint256).max.size() == 256, "full");
        hold(uint256(0).size() == 0, "empty");
    }

    function testFuzz_PickIsTheInverseOfBelow(uint256 set, uint256 seed) external pure {
        if (set == 0) set = 1 << (seed % 256);
        uint256 index = seed % set.size();
        SiteId site = set.pick(index);
        hold(set.has(site), "picked site is in the set");
        hold(set.below(site) == index, "as many below as its index");
    }

    function testFuzz_NextIsTheFirstAfter(uint256 set, uint16 last) external pure {
        if (set == 0) set = 1 << (last % 256);
        uint256 from = last > 255 ? 0 : uint256(last) + 1;
        SiteId expected;
        for (uint256 i = 0; i < 256; ++i) {
            expected = SiteId.wrap(uint16((from + i) % 256));
            if (set.has(expected)) break;
        }
        hold(set.next(SiteId.wrap(last)) == expected, "next");
    }

    function testFuzz_BetweenIsCyclic(uint8 from, uint8 to) external pure {
        uint256 expected = 0;
        for (uint256 i = (uint256(from) + 1) % 256; i != to; i = (i + 1) % 256) {
            expected |= 1 << i;
        }
        hold(Bitmap.between(SiteId.wrap(from), SiteId.wrap(to)) == expected, "between");
    }

    function testFuzz_StrangersAreInNoSet(uint256 set, uint16 site) external pure {
        if (site < 256) site += 256;
        SiteId stranger = SiteId.wrap(site);
        hold(!set.has(stranger) && Bitmap.only(stranger) == 0 && Bitmap.above(stranger) == 0, "stranger");
    }
}
