// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SiteRegistry} from "../../../contracts/SiteRegistry.sol";
import {SiteDetails} from "../../../contracts/types/Sites.sol";

/// @notice The registry with admissions that need no votes: 256 of them would take too long.
contract FullRegistry is SiteRegistry {
    constructor(SiteDetails memory founder) SiteRegistry(_one(founder)) {}

    function fill(SiteDetails[] calldata more) external {
        for (uint256 i = 0; i < more.length; ++i) {
            _admit(more[i]);
        }
    }

    function _one(SiteDetails memory founder) private pure returns (SiteDetails[] memory list) {
        list = new SiteDetails[](1);
        list[0] = founder;
    }
}
