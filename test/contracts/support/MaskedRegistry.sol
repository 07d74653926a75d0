// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISiteRegistry} from "../../../contracts/interfaces/ISiteRegistry.sol";
import {StudyRegistry} from "../../../contracts/StudyRegistry.sol";
import {Mode} from "../../../contracts/types/Studies.sol";

/// @notice The registry that also publishes masked studies, so that their disputes can be tried before nodes can mask.
contract MaskedRegistry is StudyRegistry {
    constructor(ISiteRegistry sites_) StudyRegistry(sites_) {}

    function _checkOffered(Mode mode) internal pure override {
        if (mode != Mode.Masked) super._checkOffered(mode);
    }
}
