// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Lanes} from "../../../contracts/libraries/Lanes.sol";
import {hold} from "../support/Vm.sol";

/// @notice Eight lanes at once against eight lanes one by one.
contract LanesTest {
    using Lanes for uint256;

    uint256 private constant FULL = 2 ** 31 - 1;

    function testFuzz_LanesAreAddedEachForItself(uint256 a, uint256 b, uint256 near) external pure {
        (a, b) = (_near(a, near) & ~Lanes.TOPS, _near(b, near >> 8) & ~Lanes.TOPS);
        uint256 sum = a.add(b);
        for (uint256 i = 0; i < 8; ++i) {
            uint256 plain = _lane(a, i) + _lane(b, i);
            hold(_lane(sum, i) == (plain > FULL ? FULL : plain), "a lane is added up by itself, and stays when it is full");
        }
        hold(sum == b.add(a), "in any order");
    }

    function testFuzz_WithinIsAnyLane(uint256 spent, uint256 limit, uint256 near) external pure {
        (spent, limit) = (_near(spent, near) & ~Lanes.TOPS, _near(limit, near >> 8) & ~Lanes.TOPS);
        // At times equal in a lane, or one apart.
        if (near & 1 == 1) limit = (limit & ~uint256(0xffffffff)) | (spent & 0x7fffffff);
        bool any = false;
        for (uint256 i = 0; i < 8; ++i) {
            any = any || _lane(spent, i) <= _lane(limit, i);
        }
        hold(spent.isWithin(limit) == any, "within as soon as one lane is");
    }

    /// @dev What is spent never goes down, what is over the limit stays over it, and no lane ever counts less than was charged.
    function testFuzz_SpendingIsMonotone(uint256 charge, uint256 other, uint256 limit, uint256 near, uint8 times) external pure {
        (charge, other) = (_near(charge, near) & ~Lanes.TOPS | Lanes.ONES, _near(other, near >> 8) & ~Lanes.TOPS | Lanes.ONES);
        limit &= ~Lanes.TOPS;
        uint256 spent = 0;
        uint256[8] memory plain;
        bool over = false;
        for (uint256 n = 0; n < uint256(times) % 40 + 1; ++n) {
            uint256 cost = n % 3 == 2 ? other : charge;
            uint256 next = spent.add(cost);
            for (uint256 i = 0; i < 8; ++i) {
                plain[i] += _lane(cost, i);
                hold(_lane(next, i) >= _lane(spent, i), "never less");
                hold(_lane(next, i) == (plain[i] > FULL ? FULL : plain[i]), "all that was charged, up to full");
            }
            hold(!over || !next.isWithin(limit), "over the limit for good");
            (spent, over) = (next, !next.isWithin(limit));
        }
    }

    function testFuzz_WordsOfAPolicy(uint256 word, uint256 near, uint8 lane, uint32 value) external pure {
        word = _near(word, near);
        uint256 shift = 32 * (uint256(lane) % 8);
        if (near & 1 == 1) word = (word & ~(uint256(0xffffffff) << shift)) | (uint256(value) % 3 + (value & 4 == 0 ? 0 : FULL - 1)) << shift;
        bool charge = true;
        bool limit = true;
        for (uint256 i = 0; i < 8; ++i) {
            charge = charge && _lane(word, i) >= 1 && _lane(word, i) <= FULL;
            limit = limit && _lane(word, i) < FULL;
        }
        hold(word.isCharge() == charge && word.isLimit() == limit, "as told");
    }

    /// @dev Every second lane full, or nearly, or nothing: where carries and borrows would run.
    function _near(uint256 word, uint256 how) private pure returns (uint256 near) {
        near = word;
        for (uint256 i = 0; i < 8; ++i) {
            uint256 kind = (how >> (16 + 3 * i)) & 7;
            uint256 mask = uint256(0xffffffff) << (32 * i);
            if (kind == 0) near = near & ~mask;
            else if (kind == 1) near = (near & ~mask) | FULL << (32 * i);
            else if (kind == 2) near = (near & ~mask) | (FULL - 1) << (32 * i);
            else if (kind == 3) near = (near & ~mask) | uint256(1) << (32 * i);
            else if (kind == 4) near = near & ~(uint256(0xff000000) << (32 * i));
        }
    }

    function _lane(uint256 word, uint256 i) private pure returns (uint256) {
        return (word >> (32 * i)) & 0xffffffff;
    }
}
