// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {hold} from "../support/Vm.sol";
import {RoundHandler} from "./RoundHandler.sol";

/// @notice Whatever sites call, in whatever order: the rules that RoundHandler holds each new state against.
abstract contract RoundInvariants {
    RoundHandler internal handler;

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_NothingThatCannotHappenHappened() external view {
        string memory broken = handler.broken();
        hold(bytes(broken).length == 0, broken);
    }
}

contract FiveSitesTest is RoundInvariants {
    function setUp() external {
        handler = new RoundHandler(5, 1);
    }
}

contract SixSitesThreeSlicesTest is RoundInvariants {
    function setUp() external {
        handler = new RoundHandler(6, 3);
    }
}

contract OneSiteTest is RoundInvariants {
    function setUp() external {
        handler = new RoundHandler(1, 1);
    }
}

contract TwoSitesTest is RoundInvariants {
    function setUp() external {
        handler = new RoundHandler(2, 2);
    }
}
