// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStudyRegistry} from "../../../contracts/interfaces/IStudyRegistry.sol";
import {Bitmap} from "../../../contracts/libraries/Bitmap.sol";
import {MAX_MASKED, StudyId} from "../../../contracts/types/Ids.sol";
import {Limit, Mode, StudyRules} from "../../../contracts/types/Studies.sol";
import {TestNetwork} from "../support/TestNetwork.sol";
import {hold, VM} from "../support/Vm.sol";

/// @notice A network of more sites than can mask with each other.
contract MaskedApprovalsTest is TestNetwork {
    using Bitmap for uint256;

    function setUp() external {
        build(MAX_MASKED + 1);
    }

    function test_AHundredSitesApproveAMaskedStudyAndAnotherOnceOneLeft() external {
        StudyId id = _study(Mode.Masked);
        _approve(id, MAX_MASKED);
        hold(!_tryApprove(id, MAX_MASKED), "one too many");
        VM.prank(steward(7));
        studies.withdrawSite(id);
        hold(_tryApprove(id, MAX_MASKED), "in its place");
        hold(!_tryApprove(id, 7), "no way back");
        hold(studies.approvals(id).size() == MAX_MASKED, "as many as can deal to each other");
    }

    function test_MoreApproveAnOpenStudy() external {
        StudyId id = _study(Mode.Open);
        _approve(id, MAX_MASKED + 1);
        hold(studies.approvals(id).size() == MAX_MASKED + 1, "all");
    }

    function _approve(StudyId id, uint256 some) private {
        for (uint256 i = 0; i < some; ++i) {
            hold(_tryApprove(id, i), "approved");
        }
    }

    function _tryApprove(StudyId id, uint256 site) private returns (bool) {
        VM.prank(steward(site));
        try studies.approve(id, PROTOCOL) {
            return true;
        } catch (bytes memory reason) {
            bytes memory expected = abi.encodeWithSelector(IStudyRegistry.StudyRegistry_TooManyToMask.selector, MAX_MASKED + 1, MAX_MASKED);
            hold(keccak256(reason) == keccak256(expected), "for this reason");
            return false;
        }
    }

    function _study(Mode mode) private returns (StudyId) {
        StudyRules memory rules;
        (rules.minSites, rules.quorum, rules.maxRounds, rules.wordBits) = (5, 4, 1, 64);
        (rules.slices, rules.mode, rules.arithmeticVersion) = (1, mode, keccak256("arithmetic"));
        for (uint256 i = 0; i < 5; ++i) {
            rules.limits[i] = Limit(200, 200);
        }
        VM.prank(node(0));
        return studies.publish(PROTOCOL, PROTOCOL, rules);
    }
}
