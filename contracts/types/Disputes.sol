// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RoundNo, RunId} from "./Ids.sol";

/// @notice What a site brings to show that a published sum is wrong at one leaf; IRoundCoordinator, *Disputes*.
/// @param leaf index of the leaf in the updates' trees
/// @param leaves how many leaves these trees have; 1 to 2^24
/// @param contributions all of the round in order of arrival, 33 bytes each: site id, root
/// @param updates in the same order, of each included site: the leaf (1 KiB), then its siblings from below (32 bytes each)
/// @param sum of the published sum: what lies at the leaf's place (a hash), then the siblings from below; or, where the sum's tree
/// has a leaf above that place, that leaf (1 KiB) and its siblings; or nothing, to go on in another call
struct Evidence {
    uint32 leaf;
    uint32 leaves;
    bytes contributions;
    bytes updates;
    bytes sum;
}

/// @notice What the coordinator knows of a disputed publication.
/// @param kept digest of the partial sum that the disputing site left with its last part
struct Facts {
    RunId run;
    RoundNo round;
    uint8 wordBits;
    bytes32 accumulator;
    uint256 included;
    bytes32 sumRoot;
    bytes32 kept;
}
