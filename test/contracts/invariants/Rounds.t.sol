// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StudyId} from "../../../contracts/types/Ids.sol";
import {Phase} from "../../../contracts/types/Phase.sol";
import {Mode} from "../../../contracts/types/Studies.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {hold} from "../support/Vm.sol";
import {MaskedVectors} from "./MaskedVectors.sol";
import {RoundHandler} from "./RoundHandler.sol";

/// @notice Whatever sites call, in whatever order: the rules that RoundHandler holds each new state against.
abstract contract RoundInvariants is TestNetwork {
    uint256 private constant STEPS = 16;
    RoundHandler internal handler;

    function play(uint256 n, uint8 slices, bool masked) internal {
        build(n);
        StudyId made = masked ? study(5, 4, slices, Mode.Masked) : study(uint16(n < 3 ? n : 3), uint16(n < 3 ? 1 : 2), slices, Mode.Open);
        handler = new RoundHandler(rounds, new MaskedVectors(), made, n, slices, masked);
    }

    function testFuzz_NothingThatCannotHappenHappens(uint256 seed) external {
        story(seed, STEPS);
    }

    function story(uint256 seed, uint256 steps) internal {
        for (uint256 i = 0; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed % 23, seed >> 8, seed & 128 != 0);
        }
        string memory broken = handler.broken();
        hold(bytes(broken).length == 0, broken);
    }

    /// @dev Whole rounds and whole phases more often than single calls: so that many rounds are seen.
    function _step(uint256 kind, uint256 any, bool flag) private {
        if (kind < 2) handler.wholeRound(uint8(any));
        else if (kind == 2) handler.contribute(any, flag);
        else if (kind == 3) handler.everybodyContributes(any & any >> 8);
        else if (kind == 4) handler.abstain(any, uint8(any >> 8));
        else if (kind == 5) handler.witness(any, uint8(any >> 8), any >> 16);
        else if (kind < 8) handler.custodiansWitness();
        else if (kind == 8) handler.publish(any, flag && any & 3 == 0, any & 4 == 0);
        else if (kind == 9) handler.leaderPublishes(flag);
        else if (kind < 12) handler.dispute(any, flag);
        else if (kind == 12) handler.attest(any, uint8(any >> 8), uint8(any >> 16), flag);
        else if (kind == 13) handler.everybodyAttests(uint8(any >> 8));
        else if (kind == 14) handler.wait(uint8(any));
        else if (kind == 15) handler.tick();
        else if (kind == 16) handler.everybodyIsReady();
        else if (kind == 17) handler.membership(any, flag && any & 256 == 0);
        else if (kind == 18) handler.extend(any, flag);
        else if (kind == 19) handler.key(any, any >> 8, any >> 64, flag);
        else if (kind == 20) handler.everybodyKeys(any & any >> 8, any >> 64);
        else if (kind == 21) handler.justify(any, flag);
        else handler.everybodyJustifies(any & any >> 8);
    }
}

contract FiveSitesTest is RoundInvariants {
    function setUp() external {
        play(5, 1, false);
    }

    /// @dev Else the rules about more time would hold of nothing.
    function test_HandlersAskForMoreTime() external {
        handler.wait(2);
        handler.extend(3, false);
        handler.extend(2, false);
        hold(handler.extensions() == 1 && rounds.run(handler.run()).round.extended, "once");
        hold(bytes(handler.broken()).length == 0, handler.broken());
    }
}

contract SixSitesThreeSlicesTest is RoundInvariants {
    function setUp() external {
        play(6, 3, false);
    }

    /// @dev Else the rules about deep rounds would hold of nothing.
    function test_HandlersFreezeDeepRounds() external {
        handler.everybodyContributes(0);
        handler.custodiansWitness();
        handler.wait(7);
        handler.tick();
        handler.everybodyContributes(0);
        handler.witness(0, 0, type(uint256).max);
        handler.custodiansWitness();
        hold(handler.deepFrozen() == 1, "a majority's word");
        hold(bytes(handler.broken()).length == 0, handler.broken());
    }
}

contract OneSiteTest is RoundInvariants {
    function setUp() external {
        play(1, 1, false);
    }
}

contract TwoSitesTest is RoundInvariants {
    function setUp() external {
        play(2, 2, false);
    }
}

contract SixMaskedSitesTest is RoundInvariants {
    function setUp() external {
        play(6, 1, true);
    }

    /// @dev Else the rules about deals would hold of nothing.
    function test_HandlersJustifyWhereDealsDiffer() external {
        handler.everybodyKeys(0, 2 << 4 | 4);
        hold(rounds.run(handler.run()).round.justifying, "site 4 holds another deal than that of site 1");
        handler.key(5, 0, 0, false);
        handler.justify(3, false);
        handler.justify(3, false);
        handler.everybodyJustifies(0);
        hold(handler.justifications() == 6 && rounds.run(handler.run()).round.phase == Phase.Contributing, "each once");
        handler.everybodyContributes(0);
        hold(rounds.run(handler.run()).round.justified == 63, "it stays known");
        hold(bytes(handler.broken()).length == 0, handler.broken());
    }

    /// @dev Else the rules about who does not justify would hold of nothing.
    function test_HandlersLetTheLimitOfJustifyingPass() external {
        handler.everybodyKeys(0, 2 << 4 | 4);
        handler.everybodyJustifies(15);
        handler.wait(7);
        handler.tick();
        hold(handler.voidWhileJustified() == 1 && rounds.run(handler.run()).round.awaited == 63, "three of six, and fewer than a quorum");
        handler.everybodyKeys(0, 2 << 4 | 4);
        handler.justify(7 << 32 | 1, false);
        hold(handler.justifications() == 3, "of another history");
        handler.everybodyJustifies(3);
        handler.wait(7);
        handler.tick();
        hold(rounds.run(handler.run()).round.abstained == 1 && rounds.run(handler.run()).round.phase == Phase.Contributing, "but one");
        handler.contribute(7 << 32 | 1, false);
        handler.everybodyContributes(0);
        hold(rounds.run(handler.run()).round.contributed == 62, "without it, and on one history");
        hold(bytes(handler.broken()).length == 0, handler.broken());
    }

    /// @dev Else the rules about the end of masked runs would hold of nothing.
    function test_HandlersSpendAllPublications() external {
        handler.everybodyContributes(0);
        handler.custodiansWitness();
        for (uint256 i = 0; i < 240; ++i) {
            hold(handler.ended() == 0, "it waits as long as attempts can be counted");
            for (uint256 site = 0; site < 6; ++site) {
                if (i > 0 && i % 5 == 0) handler.ready(site);
            }
            handler.publish(i % 5, false, true);
            handler.dispute(5, false);
        }
        hold(handler.ended() == 1 && handler.struck() == 240, "Ended");
        hold(bytes(handler.broken()).length == 0, handler.broken());
    }

    /// @dev Else the rules about strikes would hold of nothing.
    function test_HandlersStrikeBothBeforeAndAfterARoundCloses() external {
        handler.wholeRound(0);
        handler.dispute(1, true);
        hold(handler.takenBack() == 1, "a closed round is taken back");
        handler.publish(1, false, true);
        handler.dispute(4, false);
        hold(handler.struck() == 2, "a lie that is attested is struck");
        handler.publish(2, false, false);
        handler.dispute(4, false);
        handler.everybodyAttests(0);
        hold(handler.struck() == 2 && rounds.run(handler.run()).closedRounds == 1, "the truth stands");
        hold(bytes(handler.broken()).length == 0, handler.broken());
    }
}
