// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoundCoordinator} from "../../../contracts/RoundCoordinator.sol";
import {SiteRegistry} from "../../../contracts/SiteRegistry.sol";
import {StudyRegistry} from "../../../contracts/StudyRegistry.sol";
import {StudyId} from "../../../contracts/types/Ids.sol";
import {SiteDetails} from "../../../contracts/types/Sites.sol";
import {Limit, Mode, StudyRules} from "../../../contracts/types/Studies.sol";
import {VM} from "./Vm.sol";

/// @notice A network of sites whose accounts are plain numbers, with one study that all approved.
abstract contract TestNetwork {
    bytes32 internal constant PROTOCOL = keccak256("protocol");
    uint24 internal constant SECONDS = 30;
    uint16 internal constant BLOCKS = 12;

    SiteRegistry internal sites;
    StudyRegistry internal studies;
    RoundCoordinator internal rounds;
    uint256 internal count;

    function node(uint256 site) internal pure returns (address) {
        return address(uint160(0x10000 + site));
    }

    function steward(uint256 site) internal pure returns (address) {
        return address(uint160(0x20000 + site));
    }

    function build(uint256 n) internal {
        count = n;
        SiteDetails[] memory founders = new SiteDetails[](n);
        for (uint256 i = 0; i < n; ++i) {
            founders[i] = SiteDetails("site", node(i), steward(i), address(uint160(0x30000 + i)), "peer", keccak256("key"), new string[](0));
        }
        sites = new SiteRegistry(founders);
        studies = new StudyRegistry(sites);
        rounds = new RoundCoordinator(sites, studies);
    }

    /// @dev Called before anybody approves.
    function published(StudyId id) internal virtual {}

    function study(uint16 minSites, uint16 quorum, uint8 slices, Mode mode) internal returns (StudyId id) {
        StudyRules memory rules;
        (rules.minSites, rules.quorum, rules.maxRounds, rules.wordBits) = (minSites, quorum, 1000, 64);
        (rules.slices, rules.mode, rules.exact, rules.arithmeticVersion) = (slices, mode, true, keccak256("arithmetic"));
        for (uint256 i = 0; i < 5; ++i) {
            rules.limits[i] = Limit(SECONDS, BLOCKS);
        }
        VM.prank(node(0));
        id = studies.publish(PROTOCOL, PROTOCOL, rules);
        published(id);
        for (uint256 i = 0; i < count; ++i) {
            VM.prank(steward(i));
            studies.approve(id, PROTOCOL);
        }
        VM.prank(node(0));
        studies.publishEpoch(id, 0, PROTOCOL, PROTOCOL);
    }
}
