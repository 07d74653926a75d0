// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clock, PhaseClock} from "../../../contracts/libraries/PhaseClock.sol";
import {SiteId} from "../../../contracts/types/Ids.sol";
import {Phase} from "../../../contracts/types/Phase.sol";
import {Limit} from "../../../contracts/types/Studies.sol";
import {hold, VM} from "../support/Vm.sol";

contract PhaseClockTest {
    using PhaseClock for Clock;

    function testFuzz_UnpackIsTheInverseOfPack(uint256 word) external pure {
        uint256 known = (word & ~uint256(0xff)) | (word % 5);
        Clock memory c = PhaseClock.unpack(known);
        hold(c.pack() == known, "no field overlaps another or is lost");
    }

    function testFuzz_LimitNeedsSecondsAndBlocks(uint24 seconds_, uint16 blocks, uint32 elapsed, uint24 mined, uint8 thirds, uint8 phase) external {
        Limit[5] memory limits;
        uint256 p = 1 + uint256(phase) % 4;
        limits[p] = Limit(seconds_, blocks);
        VM.warp(1000);
        VM.roll(50);
        Clock memory c = PhaseClock.opened(Phase.Contributing, 3, SiteId.wrap(7), 2, 0);
        c.begin(Phase(p));
        VM.warp(1000 + uint256(elapsed));
        VM.roll(50 + uint256(mined));
        bool expected = 3 * uint256(elapsed) >= uint256(thirds) * seconds_ && 3 * uint256(mined) >= uint256(thirds) * blocks;
        hold(PhaseClock.thirdsPassed(c.pack(), PhaseClock.packLimits(limits), thirds) == expected, "both, or neither");
        uint256 word = PhaseClock.inPhase(c.pack(), Phase.Contributing);
        hold(PhaseClock.thirdsPassed(word, PhaseClock.packLimit(limits[p]), thirds) == expected, "one limit alone");
        hold(PhaseClock.thirdsPassed(PhaseClock.inPhase(word, Phase.Keying), PhaseClock.packLimits(limits), thirds), "Keying is looked at apart");
    }

    function testFuzz_OpenedBeginsNow(uint8 turn, uint8 leader, uint32 epoch, uint40 time, uint40 number, bool keying, uint16 least) external {
        VM.warp(time);
        VM.roll(number);
        Phase first = keying ? Phase.Keying : Phase.Contributing;
        Clock memory c = PhaseClock.opened(first, turn, SiteId.wrap(leader), epoch, least);
        hold(c.phase == first && c.sinceTime == time && c.sinceBlock == number && c.openedAt == number, "now");
        hold(c.turn == turn && c.leader == leader && c.epoch == epoch && c.tuples == least && c.flags == 0 && c.attempt == 0, "as told");
    }
}
