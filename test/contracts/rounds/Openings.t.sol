// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoundEvents} from "../../../contracts/interfaces/IRoundEvents.sol";
import {RoundNo, RunId, StudyId} from "../../../contracts/types/Ids.sol";
import {Mode} from "../../../contracts/types/Studies.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {VM} from "../support/Vm.sol";

/// @notice Contributions in the block of their round's opening: only a chain that went back brings them there.
contract OpeningsTest is TestNetwork {
    RoundNo private constant FIRST = RoundNo.wrap(1);
    RunId private _run;

    function setUp() external {
        build(3);
        VM.roll(700);
        StudyId id = study(3, 2, 1, Mode.Open);
        VM.prank(node(0));
        _run = rounds.openRun(id, PROTOCOL, PROTOCOL);
    }

    function testFuzz_ForNoOpeningInTheSameBlock(bytes32 opening) external {
        if (opening != 0) VM.expectRevert(abi.encodeWithSelector(IRoundEvents.RoundCoordinator_OtherOpening.selector, _run, FIRST, 700));
        _contribute(opening);
    }

    function testFuzz_ForAnyOpeningOnceHashesAreForgotten(bytes32 opening, uint16 later) external {
        VM.roll(957 + uint256(later));
        _contribute(opening);
    }

    function _contribute(bytes32 opening) private {
        VM.prank(node(1));
        rounds.contribute(_run, FIRST, PROTOCOL, PROTOCOL, PROTOCOL, opening);
    }
}
