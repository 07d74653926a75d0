// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ProposalId, SiteId} from "../types/Ids.sol";
import {ProposalKind, ProposalView, RecoveryView, Role, SiteDetails, SiteState, SiteView} from "../types/Sites.sol";

/// @title The hospitals of a network
/// @notice At most 256 sites ever. Founders come with the constructor; later sites are admitted, suspended, reinstated and
/// removed by vote: more than half of the sites active at that moment; a site may also resign. No owner.
/// A change of membership acts from the next round of each run, because a round's rota is a snapshot. A rotated account acts
/// at once: the old one may be stolen.
/// An account belongs to one site in one role. Ids are given in order of admission and never used again.
interface ISiteRegistry {
    /// @notice Something about a site changed; `state` is its state now.
    event SiteChanged(SiteId indexed site, SiteState state);
    /// @notice A vote may begin. `subject` is NO_SITE when `account` asks for admission.
    event SiteProposed(ProposalId indexed proposal, ProposalKind kind, SiteId subject, address account, uint64 expires);
    /// @notice A site voted.
    event SiteVoted(ProposalId indexed proposal, SiteId indexed site, bool support);
    /// @notice A proposal passed and took effect on `site`, or was rejected (`site` is then its subject or NO_SITE).
    event ProposalClosed(ProposalId indexed proposal, SiteId indexed site, bool passed);
    /// @notice A site's account was replaced.
    event AccountReplaced(SiteId indexed site, Role role, address account);
    /// @notice A recovery can be finished from `readyAt` on, unless the steward cancels it.
    event RecoveryStarted(SiteId indexed site, address node, address steward, address recovery, uint64 readyAt);
    /// @notice The steward cancelled a recovery.
    event RecoveryCancelled(SiteId indexed site);

    /// @notice A network begins with one site at least.
    error SiteRegistry_BadFounderCount(uint256 count);
    /// @notice 256 ids are used up.
    error SiteRegistry_Full();
    /// @notice The account is zero or already belongs to a site.
    error SiteRegistry_AccountTaken(address account);
    /// @notice The name is empty or longer than 64 bytes, the peer id is empty or longer than 128, the key is zero,
    /// or there are more than 8 multiaddrs or one longer than 256 bytes.
    error SiteRegistry_BadDetails();
    /// @notice The caller is not the account that it asks admission for.
    error SiteRegistry_NotCandidate(address caller, address node);
    /// @notice This account's request is still open.
    error SiteRegistry_RequestOpen(ProposalId proposal);
    /// @notice The caller is no site's node account.
    error SiteRegistry_NotNode(address caller);
    /// @notice The caller is not a node or steward account of an active site.
    error SiteRegistry_NotActive(address caller);
    /// @notice The caller has not the role that this site's change needs.
    error SiteRegistry_WrongAccount(SiteId site, address caller);
    /// @notice No such site.
    error SiteRegistry_UnknownSite(SiteId site);
    /// @notice The site's state does not allow this.
    error SiteRegistry_WrongState(SiteId site, SiteState state);
    /// @notice It would leave no active site.
    error SiteRegistry_LastSite(SiteId site);
    /// @notice `propose` is for sites; candidates call `requestAdmission`.
    error SiteRegistry_AdmissionIsRequested();
    /// @notice No such proposal.
    error SiteRegistry_UnknownProposal(ProposalId proposal);
    /// @notice The proposal passed, was rejected or expired.
    error SiteRegistry_ProposalClosed(ProposalId proposal);
    /// @notice The site has voted.
    error SiteRegistry_AlreadyVoted(ProposalId proposal, SiteId site);
    /// @notice No recovery is under way.
    error SiteRegistry_NoRecovery(SiteId site);
    /// @notice The recovery's delay is not over.
    error SiteRegistry_TooEarly(SiteId site, uint64 readyAt);

    /// @notice Asks for admission; the members vote.
    /// @dev Requirements: the caller is `details.node`; its accounts are free and unlike; no open request of this caller.
    /// Emits {SiteProposed}.
    function requestAdmission(SiteDetails calldata details) external returns (ProposalId proposal);

    /// @notice Proposes to suspend (an active site), reinstate (a suspended one) or remove (either).
    /// @dev Requirements: the caller is node or steward of an active site. It does not vote by this. Emits {SiteProposed}.
    function propose(ProposalKind kind, SiteId subject) external returns (ProposalId proposal);

    /// @notice Votes; one vote a site, final. Passes at once when more than half of the active sites are for it, is rejected
    /// when half or more are against it. Votes of sites that are no longer active do not count.
    /// @dev Requirements: node or steward of an active site; proposal open and not expired (14 days); for a passing vote,
    /// the subject's state still allows it and accounts are still free. Emits {SiteVoted}, then perhaps {ProposalClosed},
    /// {SiteChanged}.
    function vote(ProposalId proposal, bool support) external;

    /// @notice Ends the site's own membership at once and for good: its id and accounts are not used again.
    /// @dev Requirements, in this order: a site; the caller is its steward; active or suspended (WrongState); not the last active
    /// one (LastSite). Open votes of its own no longer count. Emits {SiteChanged}.
    function resign(SiteId site) external;

    /// @notice Replaces the node account, by node or steward. Emits {AccountReplaced}, {SiteChanged}.
    function rotateNode(SiteId site, address node) external;

    /// @notice Replaces the steward account, by steward. Emits {AccountReplaced}, {SiteChanged}.
    function rotateSteward(SiteId site, address steward) external;

    /// @notice Replaces peer id, encryption key and addresses, by node or steward. Emits {SiteChanged}.
    function setContact(SiteId site, string calldata peerId, bytes32 encryptionKey, string[] calldata multiaddrs) external;

    /// @notice Begins to replace all three accounts, by the recovery account; 48 hours later anyone may finish it.
    /// An account that stays may be named again. A second start replaces the first and its time. Emits {RecoveryStarted}.
    function startRecovery(SiteId site, address node, address steward, address recovery) external;

    /// @notice Cancels a recovery, by the steward. Emits {RecoveryCancelled}.
    function cancelRecovery(SiteId site) external;

    /// @notice Puts the recovery's accounts in place, by anyone, after its delay. Emits {AccountReplaced} thrice, {SiteChanged}.
    function finishRecovery(SiteId site) external;

    /// @notice Site whose node account this is, active or not.
    /// @dev Reverts with SiteRegistry_NotNode.
    function nodeSite(address account) external view returns (SiteId site);

    /// @notice Site and role of an account; (NO_SITE, None) of a stranger.
    function siteOf(address account) external view returns (SiteId site, Role role);

    /// @notice Block in which this registry, the first of a network's contracts, was deployed: events are read from it on.
    function deployedAtBlock() external view returns (uint256 blockNumber);

    /// @notice Bitmap of the active sites.
    function activeSites() external view returns (uint256 sites);

    /// @notice Ids given so far; sites are 0 to count - 1.
    function siteCount() external view returns (uint256 count);

    /// @notice One site.
    function site(SiteId id) external view returns (SiteView memory);

    /// @notice All sites, removed ones included, in order of id.
    function sites() external view returns (SiteView[] memory);

    /// @notice Proposals made so far; they count from 1.
    function proposalCount() external view returns (uint256 count);

    /// @notice One proposal, with Expired told by the block's time.
    function proposal(ProposalId id) external view returns (ProposalView memory);

    /// @notice The recovery under way at a site.
    function recoveryOf(SiteId id) external view returns (RecoveryView memory);
}
