// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPrivacyLedger} from "./interfaces/IPrivacyLedger.sol";
import {IRoundCoordinator} from "./interfaces/IRoundCoordinator.sol";
import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {IStudyRegistry} from "./interfaces/IStudyRegistry.sol";
import {Lanes} from "./libraries/Lanes.sol";
import {RoundNo, RunId, SiteId, StudyId} from "./types/Ids.sol";

/// @title PrivacyLedger
/// @notice Made by the coordinator's constructor, which asks it before it takes a contribution.
contract PrivacyLedger is IPrivacyLedger {
    using Lanes for uint256;

    struct Policy {
        uint256 charge;
        uint256 limit;
    }

    uint256 private constant MADE = 1 << 255;

    ISiteRegistry private immutable SITES;
    IStudyRegistry private immutable STUDIES;
    IRoundCoordinator private immutable COORDINATOR;
    mapping(StudyId study => Policy) private _policies;
    /// @dev A lane never uses its highest bit: that of the last says that the word was made before there was anything to add up.
    mapping(SiteId site => mapping(bytes32 dataset => uint256)) private _spent;
    /// @dev Seven sites share a word, 32 bits each; its highest bit says that the run's opening made it.
    mapping(RunId run => mapping(uint256 group => uint256 rounds)) private _last;

    constructor(ISiteRegistry sites_, IStudyRegistry studies_) {
        (SITES, STUDIES, COORDINATOR) = (sites_, studies_, IRoundCoordinator(msg.sender));
    }

    /// @inheritdoc IPrivacyLedger
    function setPolicy(StudyId study, uint256 charge_, uint256 limit) external {
        // Check: the publisher, before any approval, words that can work
        SiteId publisher = STUDIES.study(study).publisher;
        SiteId site = SITES.nodeSite(msg.sender);
        if (site != publisher) revert PrivacyLedger_NotPublisher(study, site);
        Policy storage p = _policies[study];
        if (p.charge != 0 || STUDIES.approvals(study) != 0) revert PrivacyLedger_TooLate(study);
        bool works = charge_.isCharge() && limit.isLimit() && charge_.isWithin(limit);
        if (!works) revert PrivacyLedger_BadPolicy(charge_, limit);
        // Effect: accounted
        (p.charge, p.limit) = (charge_, limit);
        emit PolicySet(study, site, charge_, limit);
    }

    /// @inheritdoc IPrivacyLedger
    function begin(RunId run, StudyId study) external returns (bool accounted) {
        // Check: the coordinator opens a run
        if (msg.sender != address(COORDINATOR)) revert PrivacyLedger_NotCoordinator(msg.sender);
        accounted = _policies[study].charge != 0;
        if (!accounted) return false;
        // Effect: words for all sites that there are, and for those that may be admitted meanwhile
        uint256 last = SITES.siteCount() / 7 + 1;
        for (uint256 group = 0; group <= last; ++group) {
            _last[run][group] = MADE;
        }
    }

    /// @inheritdoc IPrivacyLedger
    function prepare(bytes32 dataset) external {
        // Check: a site's dataset, with a name
        SiteId site = SITES.nodeSite(msg.sender);
        if (dataset == 0) revert PrivacyLedger_ZeroDataset();
        // Effect: its word
        _spent[site][dataset] |= MADE;
    }

    /// @inheritdoc IPrivacyLedger
    function charge(RunId run, RoundNo round, bytes32 dataset) external {
        // Check: a site's next charge in the run, within the limit
        StudyId study = COORDINATOR.studyOf(run);
        SiteId site = SITES.nodeSite(msg.sender);
        Policy storage p = _policies[study];
        uint256 cost = p.charge;
        if (cost == 0) revert PrivacyLedger_NoPolicy(study);
        if (dataset == 0) revert PrivacyLedger_ZeroDataset();
        (uint256 group, uint256 shift) = _placeOf(site);
        uint256 rounds = _last[run][group];
        if (RoundNo.unwrap(round) <= uint32(rounds >> shift)) revert PrivacyLedger_AlreadyCharged(run, round, site);
        uint256 word = _spent[site][dataset];
        uint256 before = word & ~MADE;
        uint256 spent = before.add(cost);
        if (!spent.isWithin(p.limit)) revert PrivacyLedger_LimitReached(site, dataset, before, p.limit);
        // Effect: spent
        _spent[site][dataset] = spent | (word & MADE);
        _last[run][group] = (rounds & ~(uint256(type(uint32).max) << shift)) | (uint256(RoundNo.unwrap(round)) << shift);
        emit Charged(run, round, site, dataset, spent);
    }

    /// @inheritdoc IPrivacyLedger
    function policyOf(StudyId study) external view returns (uint256, uint256) {
        Policy storage p = _policies[study];
        return (p.charge, p.limit);
    }

    /// @inheritdoc IPrivacyLedger
    function spentOf(SiteId site, bytes32 dataset) external view returns (uint256) {
        return _spent[site][dataset] & ~MADE;
    }

    /// @inheritdoc IPrivacyLedger
    function lastCharged(RunId run, SiteId site) external view returns (RoundNo) {
        (uint256 group, uint256 shift) = _placeOf(site);
        return RoundNo.wrap(uint32(_last[run][group] >> shift));
    }

    /// @inheritdoc IPrivacyLedger
    function isPrepared(SiteId site, bytes32 dataset) external view returns (bool) {
        return _spent[site][dataset] != 0;
    }

    function _placeOf(SiteId site) private pure returns (uint256 group, uint256 shift) {
        uint256 id = SiteId.unwrap(site);
        return (id / 7, 32 * (id % 7));
    }
}
