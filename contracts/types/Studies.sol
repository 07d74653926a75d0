// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SiteId, StudyId} from "./Ids.sol";

/// @notice Who sees updates: the members; nobody; nobody, but their sums by groups. Groups keeps its place here; this version refuses to publish it.
enum Mode {
    Open,
    Masked,
    Groups
}

/// @notice A phase's limit. It has passed when both its seconds and its blocks have. At most 194 days and 65,535 blocks.
struct Limit {
    uint24 seconds_;
    uint16 blocks;
}

/// @notice The few numbers of a protocol that the chain enforces.
/// @param minSites a round opens with at least so many sites
/// @param quorum a round needs so many contributions, and so many included ones; 1 to minSites
/// @param maxRounds a run ends after so many closed rounds; at least 1
/// @param wordBits 32 or 64: size of a ring word
/// @param slices parts into which a model is cut; 1 to minSites, at most 255
/// @param mode who sees updates
/// @param exact any member may halt a run because its cohort changed
/// @param limits in the order of Phase; each used one (Keying in masked studies alone) at least n + 3 seconds and n + 3 blocks, n = active sites at publication; see StudyChecks
/// @param arithmeticVersion digest of the golden outputs that a node must reproduce to take part
struct StudyRules {
    uint16 minSites;
    uint16 quorum;
    uint32 maxRounds;
    uint8 wordBits;
    uint8 slices;
    Mode mode;
    bool exact;
    Limit[5] limits;
    bytes32 arithmeticVersion;
}

/// @notice A membership epoch's key.
/// @param epoch counts from 0; meaningless while `commitment` is zero
/// @param commitment to the epoch key
/// @param bundle CID digest of the object that wraps the key to each member and reader
/// @param members sites that were approved and active when it was published
/// @param reported a member could not unwrap it: another may be published
struct EpochView {
    uint32 epoch;
    bytes32 commitment;
    bytes32 bundle;
    uint256 members;
    bool reported;
}

/// @notice One study as the registry holds it.
/// @param approved sites that approved exactly this digest, have not withdrawn, and are active now
/// @param epoch the newest epoch; its commitment is zero before epoch 0
struct StudyView {
    StudyId id;
    SiteId publisher;
    bytes32 protocolDigest;
    bytes32 protocolCid;
    uint256 approved;
    StudyRules rules;
    EpochView epoch;
}
