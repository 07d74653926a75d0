// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoundEvents} from "../../../contracts/interfaces/IRoundEvents.sol";
import {RoundNo, RunId, StudyId} from "../../../contracts/types/Ids.sol";
import {Mode} from "../../../contracts/types/Studies.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {VM} from "../support/Vm.sol";

/// @notice Contributions in the block of their round's opening, and of a masked study what is shown and contributed in the block in which that began: only a chain that
/// went back brings them there.
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

contract MaskedOpeningsTest is TestNetwork {
    RoundNo private constant FIRST = RoundNo.wrap(1);
    RunId private _run;

    /// @dev Who holds nobody's deal holds another than the rest: its own.
    function setUp() external {
        build(5);
        VM.roll(700);
        StudyId id = study(5, 4, 1, Mode.Masked);
        VM.prank(node(0));
        _run = rounds.openRun(id, PROTOCOL, PROTOCOL);
        VM.roll(705);
        for (uint256 i = 0; i < 5; ++i) {
            VM.prank(node(i));
            rounds.key(_run, FIRST, PROTOCOL, PROTOCOL, 0, "");
        }
    }

    function testFuzz_ShownForNoHistoryInTheSameBlock(bytes32 began) external {
        _expectOther(began, 705);
        _justify(0, began);
    }

    function testFuzz_ShownForAnyHistoryOnceHashesAreForgotten(bytes32 began, uint16 later) external {
        VM.roll(962 + uint256(later));
        _justify(0, began);
    }

    function testFuzz_ContributedForNoHistoryInTheSameBlock(bytes32 began) external {
        _allJustify();
        _expectOther(began, 707);
        _contribute(began);
    }

    function testFuzz_ContributedForAnyHistoryOnceHashesAreForgotten(bytes32 began, uint16 later) external {
        _allJustify();
        VM.roll(964 + uint256(later));
        _contribute(began);
    }

    function _allJustify() private {
        VM.roll(707);
        for (uint256 i = 0; i < 5; ++i) {
            _justify(i, 0);
        }
    }

    function _expectOther(bytes32 began, uint256 known) private {
        if (began != 0) VM.expectRevert(abi.encodeWithSelector(IRoundEvents.RoundCoordinator_OtherOpening.selector, _run, FIRST, known));
    }

    function _justify(uint256 site, bytes32 began) private {
        VM.prank(node(site));
        rounds.justify(_run, FIRST, began, "");
    }

    function _contribute(bytes32 began) private {
        VM.prank(node(1));
        rounds.contribute(_run, FIRST, PROTOCOL, PROTOCOL, PROTOCOL, began);
    }
}
