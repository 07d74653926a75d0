// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bitmap} from "../../../contracts/libraries/Bitmap.sol";
import {KeyTurns} from "../../../contracts/libraries/KeyTurns.sol";
import {SiteId} from "../../../contracts/types/Ids.sol";
import {hold} from "../support/Vm.sol";

contract KeyTurnsTest {
    using Bitmap for uint256;
    using KeyTurns for KeyTurns.Drawers;

    uint256 private constant DRAWS = 12;
    KeyTurns.Drawers private _drawers;
    mapping(uint256 site => uint256) private _last;

    /// @dev Against one count a site, and a comparison of each with each.
    function testFuzz_PlacesAreThoseOfTheSortedMembers(uint256 seed, uint256 members, uint256 newcomers, uint8 publisher) external {
        // At least two words of drawers; never nobody.
        members |= 1 << publisher | 1;
        newcomers &= members & ~uint256(1);
        for (uint32 epoch = 0; epoch < DRAWS; ++epoch) {
            SiteId drawer = members.pick(uint256(keccak256(abi.encode(seed, epoch))) % members.size());
            _drawers.note(drawer, epoch);
            _last[SiteId.unwrap(drawer)] = uint256(epoch) + 1;
        }
        uint256 taken = 0;
        for (uint256 i = 0; i < 6; ++i) {
            SiteId site = members.pick(uint256(keccak256(abi.encode(seed, "asked", i))) % members.size());
            uint256 place = _drawers.placeOf(members, newcomers, SiteId.wrap(publisher), site);
            hold(place == _before(members, newcomers, publisher, site), "so many come before");
            hold(place < members.size(), "it is one of them");
            taken |= 1 << place;
        }
        hold(taken != 0, "somebody was asked");
    }

    function test_WhoDrewLastIsLastAndTheOthersMoveUp() external {
        uint256 members = 0x1f;
        for (uint32 epoch = 0; epoch < 20; ++epoch) {
            uint256 first = 0;
            while (_drawers.placeOf(members, 0, SiteId.wrap(2), SiteId.wrap(uint16(first))) != 0) ++first;
            hold(first == (uint256(epoch) + 3) % 5, "in turns, from the publisher on");
            _drawers.note(SiteId.wrap(uint16(first)), epoch);
            hold(_drawers.placeOf(members, 0, SiteId.wrap(2), SiteId.wrap(uint16(first))) == 4, "last");
        }
    }

    function _before(uint256 members, uint256 newcomers, uint8 publisher, SiteId site) private view returns (uint256 count) {
        uint256 own = _rank(newcomers, publisher, SiteId.unwrap(site));
        for (uint256 other = 0; other < 256; ++other) {
            if ((members >> other) & 1 == 1 && _rank(newcomers, publisher, other) < own) ++count;
        }
    }

    /// @dev Newcomers, then the last draw, then the way round from the publisher.
    function _rank(uint256 newcomers, uint8 publisher, uint256 site) private view returns (uint256) {
        return ((newcomers >> site) & 1) << 64 | _last[site] << 16 | (site > publisher ? site : 256 + site);
    }
}
