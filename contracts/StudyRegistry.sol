// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {IStudyRegistry} from "./interfaces/IStudyRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {KeyTurns} from "./libraries/KeyTurns.sol";
import {StudyChecks} from "./libraries/StudyChecks.sol";
import {MAX_MASKED, SiteId, StudyId} from "./types/Ids.sol";
import {Role} from "./types/Sites.sol";
import {EpochView, Mode, StudyRules, StudyView} from "./types/Studies.sol";

/// @title StudyRegistry
contract StudyRegistry is IStudyRegistry {
    using Bitmap for uint256;
    using KeyTurns for KeyTurns.Drawers;

    /// @dev `since`: when its approvals last changed or its key was reported, in seconds; turns to draw the next key count from then on.
    struct Study {
        SiteId publisher;
        uint32 epochCount;
        uint40 since;
        bytes32 protocolDigest;
        bytes32 protocolCid;
        uint256 approvals;
        StudyRules rules;
        KeyTurns.Drawers drawers;
    }

    struct Epoch {
        bytes32 commitment;
        bytes32 bundle;
        uint256 members;
        bool reported;
    }

    ISiteRegistry private immutable SITES;
    uint32 private _studyCount;
    mapping(StudyId study => Study) private _studies;
    mapping(StudyId study => mapping(uint32 epoch => Epoch)) private _epochs;

    constructor(ISiteRegistry sites_) {
        SITES = sites_;
    }

    /// @notice The registry of sites that this one reads.
    function sites() external view returns (ISiteRegistry) {
        return SITES;
    }

    /// @inheritdoc IStudyRegistry
    function publish(bytes32 protocolDigest, bytes32 protocolCid, StudyRules calldata rules) external returns (StudyId id) {
        // Check: a member, digests, numbers that can work
        SiteId site = _activeNode();
        if (protocolDigest == 0 || protocolCid == 0 || rules.arithmeticVersion == 0) revert StudyRegistry_ZeroDigest();
        if (rules.mode == Mode.Groups) revert StudyRegistry_ModeNotOffered(rules.mode);
        StudyChecks.check(rules, SITES.activeSites().size());
        // Effect: the study, for ever
        id = StudyId.wrap(++_studyCount);
        Study storage s = _studies[id];
        (s.publisher, s.protocolDigest, s.protocolCid, s.rules) = (site, protocolDigest, protocolCid, rules);
        emit StudyPublished(id, site, protocolDigest, protocolCid);
    }

    /// @inheritdoc IStudyRegistry
    function approve(StudyId id, bytes32 protocolDigest) external {
        // Check: an active site's steward, this digest, for the first time
        Study storage s = _known(id);
        SiteId site = _steward();
        if (!SITES.activeSites().has(site)) revert StudyRegistry_NotSteward(msg.sender);
        if (protocolDigest != s.protocolDigest) revert StudyRegistry_OtherDigest(id, protocolDigest, s.protocolDigest);
        if (s.approvals.has(site)) revert StudyRegistry_AlreadyApproved(id, site);
        uint256 approved = s.approvals | Bitmap.only(site);
        if (s.rules.mode == Mode.Masked && approved.size() > MAX_MASKED) revert StudyRegistry_TooManyToMask(approved.size(), MAX_MASKED);
        // Effect: approved
        (s.approvals, s.since) = (approved, uint40(block.timestamp));
        emit StudyApproved(id, site);
    }

    /// @inheritdoc IStudyRegistry
    function withdrawSite(StudyId id) external {
        // Check: a steward that approved
        Study storage s = _known(id);
        SiteId site = _steward();
        if (!s.approvals.has(site)) revert StudyRegistry_NotApproved(id, site);
        // Effect: no longer approved
        (s.approvals, s.since) = (s.approvals & ~Bitmap.only(site), uint40(block.timestamp));
        emit StudyWithdrawn(id, site);
    }

    /// @inheritdoc IStudyRegistry
    function publishEpoch(StudyId id, uint32 epoch, bytes32 commitment, bytes32 bundle) external {
        // Check: the next epoch, due, by one who may and whose turn has come
        Study storage s = _known(id);
        if (commitment == 0 || bundle == 0) revert StudyRegistry_ZeroDigest();
        if (epoch != s.epochCount) revert StudyRegistry_NotNextEpoch(id, epoch, s.epochCount);
        uint256 members = membersNow(id);
        SiteId site = epoch == 0 ? _publisher(id, s) : _member(id, members);
        if (members == 0) revert StudyRegistry_NoMembers(id);
        if (epoch > 0) _checkTurn(id, s, epoch, site, members);
        // Effect: the epoch
        s.epochCount = epoch + 1;
        s.drawers.note(site, epoch);
        _epochs[id][epoch] = Epoch(commitment, bundle, members, false);
        emit EpochPublished(id, epoch, site, commitment, bundle, members);
    }

    /// @inheritdoc IStudyRegistry
    function reportEpoch(StudyId id, uint32 epoch) external {
        // Check: the newest, by a member, for the first time
        Study storage s = _known(id);
        if (uint256(epoch) + 1 != s.epochCount) revert StudyRegistry_NotNewestEpoch(id, epoch);
        SiteId site = _member(id, membersNow(id));
        Epoch storage e = _epochs[id][epoch];
        if (e.reported) revert StudyRegistry_AlreadyReported(id, epoch);
        // Effect: another may be published
        (e.reported, s.since) = (true, uint40(block.timestamp));
        emit EpochReported(id, epoch, site);
    }

    /// @inheritdoc IStudyRegistry
    function studyCount() external view returns (uint256) {
        return _studyCount;
    }

    /// @inheritdoc IStudyRegistry
    function study(StudyId id) external view returns (StudyView memory) {
        Study storage s = _known(id);
        EpochView memory epoch = s.epochCount == 0 ? _viewEpoch(id, 0) : _viewEpoch(id, s.epochCount - 1);
        return StudyView(id, s.publisher, s.protocolDigest, s.protocolCid, membersNow(id), s.rules, epoch);
    }

    /// @inheritdoc IStudyRegistry
    function epochOf(StudyId id, uint32 epoch) external view returns (EpochView memory) {
        uint32 next = _known(id).epochCount;
        if (epoch >= next) revert StudyRegistry_NotNextEpoch(id, epoch, next);
        return _viewEpoch(id, epoch);
    }

    /// @inheritdoc IStudyRegistry
    function rulesOf(StudyId id) external view returns (StudyRules memory) {
        return _known(id).rules;
    }

    /// @inheritdoc IStudyRegistry
    function approvals(StudyId id) external view returns (uint256) {
        return _studies[id].approvals;
    }

    /// @inheritdoc IStudyRegistry
    function membersNow(StudyId id) public view returns (uint256) {
        return _studies[id].approvals & SITES.activeSites();
    }

    /// @inheritdoc IStudyRegistry
    function rotaNow(StudyId id) external view returns (uint256 rota, uint32 epoch) {
        uint32 count = _studies[id].epochCount;
        if (count == 0) return (0, 0);
        epoch = count - 1;
        rota = membersNow(id) & _epochs[id][epoch].members;
    }

    /// @dev Due, and as many turns passed as members come before.
    function _checkTurn(StudyId id, Study storage s, uint32 epoch, SiteId site, uint256 members) private view {
        Epoch storage e = _epochs[id][epoch - 1];
        (bool reported, uint256 before) = (e.reported, e.members);
        if (!reported && before == members) revert StudyRegistry_EpochNotDue(id, epoch);
        uint256 place = s.drawers.placeOf(members, reported ? 0 : members & ~before, s.publisher, site);
        if (block.timestamp < s.since + place * KeyTurns.SECONDS) revert StudyRegistry_NotItsTurn(id, epoch, site, place);
    }

    function _viewEpoch(StudyId id, uint32 epoch) private view returns (EpochView memory) {
        Epoch storage e = _epochs[id][epoch];
        return EpochView(epoch, e.commitment, e.bundle, e.members, e.reported);
    }

    function _publisher(StudyId id, Study storage s) private view returns (SiteId site) {
        site = _activeNode();
        if (site != s.publisher) revert StudyRegistry_NotPublisher(id, site);
    }

    function _member(StudyId id, uint256 members) private view returns (SiteId site) {
        site = SITES.nodeSite(msg.sender);
        if (!members.has(site)) revert StudyRegistry_NotApproved(id, site);
    }

    function _activeNode() private view returns (SiteId site) {
        Role role;
        (site, role) = SITES.siteOf(msg.sender);
        if (role != Role.Node || !SITES.activeSites().has(site)) revert StudyRegistry_NotActive(msg.sender);
    }

    function _steward() private view returns (SiteId site) {
        Role role;
        (site, role) = SITES.siteOf(msg.sender);
        if (role != Role.Steward) revert StudyRegistry_NotSteward(msg.sender);
    }

    function _known(StudyId id) private view returns (Study storage) {
        uint32 number = StudyId.unwrap(id);
        if (number == 0 || number > _studyCount) revert StudyRegistry_UnknownStudy(id);
        return _studies[id];
    }
}
