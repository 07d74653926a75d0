// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ProposalId, SiteId} from "./Ids.sol";

/// @notice Life of a site. Proposed is a candidate whose proposal is open: it has no id yet, so no stored site is in it.
/// @dev Same order as SITE_STATES in node/ports/chain.ts.
enum SiteState {
    None,
    Proposed,
    Active,
    Suspended,
    Removed
}

/// @notice What an account may do for its site: Node acts in rounds, Steward approves studies, Recovery replaces accounts.
enum Role {
    None,
    Node,
    Steward,
    Recovery
}

/// @notice What members vote on.
enum ProposalKind {
    Admit,
    Suspend,
    Reinstate,
    Remove
}

/// @notice Open until it passes, is rejected or its time is over.
enum ProposalState {
    Open,
    Passed,
    Rejected,
    Expired
}

/// @notice What a site tells of itself.
/// @param name for people, 1 to 64 bytes
/// @param node hot account of the node
/// @param steward account that approves studies
/// @param recovery cold account that may replace all three, after a delay
/// @param peerId libp2p PeerId as text
/// @param encryptionKey X25519 public key to which epoch keys are wrapped
/// @param multiaddrs addresses that others dial, as text; empty for a site that only dials out
struct SiteDetails {
    string name;
    address node;
    address steward;
    address recovery;
    string peerId;
    bytes32 encryptionKey;
    string[] multiaddrs;
}

/// @notice One site as the registry holds it.
struct SiteView {
    SiteId id;
    SiteState state;
    SiteDetails details;
}

/// @notice One proposal. `subject` is NO_SITE and `candidate` filled in when it asks for admission.
/// @param expires chain time in seconds; a vote at or after it fails
/// @param yes sites that voted for it
/// @param no sites that voted against it
struct ProposalView {
    ProposalId id;
    ProposalKind kind;
    ProposalState state;
    SiteId subject;
    uint64 expires;
    uint256 yes;
    uint256 no;
    SiteDetails candidate;
}

/// @notice Accounts that a site's recovery account has asked for; `readyAt` is 0 when none is under way.
/// @param readyAt chain time in seconds from which it can be finished
struct RecoveryView {
    address node;
    address steward;
    address recovery;
    uint64 readyAt;
}
