// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SiteId, StudyId} from "../types/Ids.sol";
import {EpochView, Mode, StudyRules, StudyView} from "../types/Studies.sol";
import {Phase} from "../types/Phase.sol";

/// @title Protocols, who approved them, and the keys of their members
/// @notice A study is a protocol's digest with the few numbers that the chain enforces; it never changes. A site takes part
/// only after its steward approved exactly that digest, and its steward withdraws it at once. Nobody stops the others.
///
/// Epochs of keys. A study's *members now* are the sites that approved and are active. Epoch 0 is published by the site that
/// published the study; epoch e + 1 by any member, once the members now differ from those of epoch e, or one of these
/// reported that it cannot unwrap it: in turns. A member's *place* is the number of members before it: newcomers (not in epoch e, unless that
/// was reported) come after the others, and among equals who drew a key longest ago is first, before all those who never did, in cyclic
/// order of ids from the publisher on, itself last. Place p may publish 2p seconds after the study's approvals last changed or its key was
/// reported, whatever was last. (A site suspended, reinstated or removed in SiteRegistry begins no turns anew.) The first on chain counts. A site stands in a round's rota only when the newest epoch
/// was published with it among the members, because without the key it can read nothing.
interface IStudyRegistry {
    /// @notice A study may be approved.
    event StudyPublished(StudyId indexed study, SiteId indexed publisher, bytes32 protocolDigest, bytes32 protocolCid);
    /// @notice A steward approved the study's digest.
    event StudyApproved(StudyId indexed study, SiteId indexed site);
    /// @notice A steward withdrew the own site.
    event StudyWithdrawn(StudyId indexed study, SiteId indexed site);
    /// @notice An epoch's key is wrapped to `members`.
    event EpochPublished(StudyId indexed study, uint32 indexed epoch, SiteId indexed site, bytes32 commitment, bytes32 bundle, uint256 members);
    /// @notice A member cannot unwrap the epoch's key, or has earlier ones to which it does not lead.
    event EpochReported(StudyId indexed study, uint32 indexed epoch, SiteId indexed site);

    /// @notice The caller is not the account, or its site not in the state, that this needs: node of an active site to publish.
    error StudyRegistry_NotActive(address caller);
    /// @notice The caller is not the steward of a site (to approve: of an active one).
    error StudyRegistry_NotSteward(address caller);
    /// @notice No such study.
    error StudyRegistry_UnknownStudy(StudyId study);
    /// @notice A digest or CID is zero.
    error StudyRegistry_ZeroDigest();
    /// @notice Grouped studies are not offered by this version.
    error StudyRegistry_ModeNotOffered(Mode mode);
    /// @notice Needs 1 <= quorum <= minSites <= 256.
    error StudyRegistry_BadQuorum(uint256 quorum, uint256 minSites);
    /// @notice Needs maxRounds >= 1.
    error StudyRegistry_NoRounds();
    /// @notice Ring words have 32 or 64 bits.
    error StudyRegistry_BadWordBits(uint256 wordBits);
    /// @notice Needs 1 <= slices <= minSites.
    error StudyRegistry_BadSlices(uint256 slices, uint256 minSites);
    /// @notice A masked study needs minSites >= 5 and quorum >= floor(2 * minSites / 3) + 1.
    error StudyRegistry_TooFewToMask(uint256 quorum, uint256 minSites);
    /// @notice Each site of a masked study deals to each: at most `most` may approve it, and minSites be no more.
    error StudyRegistry_TooManyToMask(uint256 sites, uint256 most);
    /// @notice A phase's limit is below `least` seconds or blocks.
    error StudyRegistry_LimitTooShort(Phase phase, uint256 seconds_, uint256 blocks, uint256 least);
    /// @notice The steward approves another digest than the study's.
    error StudyRegistry_OtherDigest(StudyId study, bytes32 given, bytes32 published);
    /// @notice The site has approved.
    error StudyRegistry_AlreadyApproved(StudyId study, SiteId site);
    /// @notice The site has not approved, or has withdrawn.
    error StudyRegistry_NotApproved(StudyId study, SiteId site);
    /// @notice Epoch 0 is the publisher's.
    error StudyRegistry_NotPublisher(StudyId study, SiteId site);
    /// @notice Another epoch number is next: this one is taken, or not yet due.
    error StudyRegistry_NotNextEpoch(StudyId study, uint32 epoch, uint32 next);
    /// @notice The members are those of the newest epoch, and none reported it.
    error StudyRegistry_EpochNotDue(StudyId study, uint32 epoch);
    /// @notice So many members come before the site, and their time has not passed.
    error StudyRegistry_NotItsTurn(StudyId study, uint32 epoch, SiteId site, uint256 place);
    /// @notice No member yet to wrap a key to.
    error StudyRegistry_NoMembers(StudyId study);
    /// @notice Only the newest epoch can be reported.
    error StudyRegistry_NotNewestEpoch(StudyId study, uint32 epoch);
    /// @notice The epoch has been reported.
    error StudyRegistry_AlreadyReported(StudyId study, uint32 epoch);

    /// @notice Publishes a study.
    /// @dev Requirements, in this order: node of an active site; no zero digest (arithmeticVersion included); mode Open or Masked;
    /// 1 <= quorum <= minSites <= 256; maxRounds >= 1; wordBits 32 or 64; 1 <= slices <= minSites; of a masked study minSites <= 100 (TooManyToMask),
    /// minSites >= 5 and quorum >= floor(2 * minSites / 3) + 1 (TooFewToMask); each limit (Keying's of a masked study alone) at least n + 3 seconds and n + 3 blocks, n = active sites now, that of Witnessing with several slices 3 * slices + 3 too, checked
    /// in the order of Phase. Emits {StudyPublished}.
    function publish(bytes32 protocolDigest, bytes32 protocolCid, StudyRules calldata rules) external returns (StudyId study);

    /// @notice The caller's site takes part from the next epoch and round on.
    /// @dev Requirements, in this order: known study; steward of an active site; the study's digest; not yet approved; of a masked study at most
    /// 100 approvals with this one, suspended sites' too (TooManyToMask).
    /// Emits {StudyApproved}.
    function approve(StudyId study, bytes32 protocolDigest) external;

    /// @notice The caller's site takes no further part, from this transaction on: its calls fail, and a freeze leaves it out.
    /// @dev Requirements, in this order: known study; steward of a site; approved. Emits {StudyWithdrawn}.
    function withdrawSite(StudyId study) external;

    /// @notice Publishes the next epoch's key commitment and bundle.
    /// @dev Requirements, in this order: known study; no zero digest; `epoch` is the next; for epoch 0, node of the publishing
    /// site while it is active, and at least one member; else node of a member, due, and its turn (NotItsTurn). Emits {EpochPublished}.
    function publishEpoch(StudyId study, uint32 epoch, bytes32 commitment, bytes32 bundle) external;

    /// @notice Says that the caller's site cannot unwrap the newest epoch's key, or that it does not lead to earlier ones, so that another can be published.
    /// @dev Requirements, in this order: known study; newest epoch; node of a member now; not yet reported.
    /// Emits {EpochReported}.
    function reportEpoch(StudyId study, uint32 epoch) external;

    /// @notice Studies so far; they count from 1.
    function studyCount() external view returns (uint256 count);

    /// @notice One study.
    function study(StudyId id) external view returns (StudyView memory);

    /// @notice One epoch of a study.
    /// @dev Reverts with StudyRegistry_NotNextEpoch when it is not published.
    function epochOf(StudyId id, uint32 epoch) external view returns (EpochView memory);

    /// @notice A study's numbers.
    function rulesOf(StudyId id) external view returns (StudyRules memory);

    /// @notice Sites that approved and have not withdrawn, active or not.
    function approvals(StudyId id) external view returns (uint256 sites);

    /// @notice Sites that approved, have not withdrawn, and are active.
    function membersNow(StudyId id) external view returns (uint256 sites);

    /// @notice Who would stand in the rota of a round that opened now: members now that the newest epoch has too.
    /// @return rota zero before epoch 0
    /// @return epoch number of the newest epoch
    function rotaNow(StudyId id) external view returns (uint256 rota, uint32 epoch);
}
