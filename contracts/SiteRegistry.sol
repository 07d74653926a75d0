// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {Rota} from "./libraries/Rota.sol";
import {SiteAccounts} from "./sites/SiteAccounts.sol";
import {NO_SITE, ProposalId, SiteId} from "./types/Ids.sol";
import {ProposalKind, ProposalState, ProposalView, SiteDetails, SiteState} from "./types/Sites.sol";

/// @title SiteRegistry
/// @notice Votes of the members; accounts and details are in SiteAccounts.
contract SiteRegistry is SiteAccounts {
    using Bitmap for uint256;

    /// @dev Seconds in which a proposal can be voted on.
    uint64 private constant VOTING_TIME = 14 days;

    struct Proposal {
        ProposalKind kind;
        ProposalState state;
        SiteId subject;
        uint64 expires;
        uint256 yes;
        uint256 no;
        SiteDetails candidate;
    }

    /// @inheritdoc ISiteRegistry
    uint256 public immutable deployedAtBlock = block.number;

    uint32 private _proposalCount;
    mapping(uint32 proposal => Proposal) private _proposals;
    mapping(address candidate => ProposalId) private _lastRequest;

    constructor(SiteDetails[] memory founders) {
        // Check: a network has founders
        if (founders.length == 0) revert SiteRegistry_BadFounderCount(0);
        // Effect: founders are the first sites
        for (uint256 i = 0; i < founders.length; ++i) {
            _admit(founders[i]);
        }
    }

    /// @inheritdoc ISiteRegistry
    function requestAdmission(SiteDetails memory details) external returns (ProposalId id) {
        // Check: by itself, once at a time, with accounts that can be taken
        if (msg.sender != details.node) revert SiteRegistry_NotCandidate(msg.sender, details.node);
        _checkDetails(details);
        _checkFree(details);
        ProposalId last = _lastRequest[msg.sender];
        if (ProposalId.unwrap(last) != 0 && _stateOf(_proposals[ProposalId.unwrap(last)]) == ProposalState.Open) revert SiteRegistry_RequestOpen(last);
        // Effect: a proposal with the candidate's details
        id = _open(ProposalKind.Admit, NO_SITE, msg.sender);
        _proposals[ProposalId.unwrap(id)].candidate = details;
        _lastRequest[msg.sender] = id;
    }

    /// @inheritdoc ISiteRegistry
    function propose(ProposalKind kind, SiteId subject) external returns (ProposalId id) {
        // Check: a member proposes what the subject's state allows
        _activeMember();
        if (kind == ProposalKind.Admit) revert SiteRegistry_AdmissionIsRequested();
        _checkAllowed(kind, subject);
        // Effect: a proposal
        id = _open(kind, subject, msg.sender);
    }

    /// @inheritdoc ISiteRegistry
    function vote(ProposalId id, bool support) external {
        // Check: a member's first vote on an open proposal
        SiteId site = _activeMember();
        Proposal storage p = _known(id);
        if (_stateOf(p) != ProposalState.Open) revert SiteRegistry_ProposalClosed(id);
        if ((p.yes | p.no).has(site)) revert SiteRegistry_AlreadyVoted(id, site);
        // Effect: the vote, and what it decides
        if (support) p.yes |= Bitmap.only(site);
        else p.no |= Bitmap.only(site);
        emit SiteVoted(id, site, support);
        _decide(id, p);
    }

    /// @inheritdoc ISiteRegistry
    function resign(SiteId id) external {
        // Check: the steward of a site that can be removed
        if (msg.sender != _stored(id).details.steward) revert SiteRegistry_WrongAccount(id, msg.sender);
        _checkAllowed(ProposalKind.Remove, id);
        // Effect: removed
        _setState(id, SiteState.Removed);
    }

    /// @inheritdoc ISiteRegistry
    function proposalCount() external view returns (uint256) {
        return _proposalCount;
    }

    /// @inheritdoc ISiteRegistry
    function proposal(ProposalId id) external view returns (ProposalView memory) {
        Proposal storage p = _known(id);
        return ProposalView(id, p.kind, _stateOf(p), p.subject, p.expires, p.yes, p.no, p.candidate);
    }

    function _open(ProposalKind kind, SiteId subject, address account) private returns (ProposalId id) {
        uint64 expires = uint64(block.timestamp) + VOTING_TIME;
        id = ProposalId.wrap(++_proposalCount);
        Proposal storage p = _proposals[ProposalId.unwrap(id)];
        (p.kind, p.subject, p.expires) = (kind, subject, expires);
        emit SiteProposed(id, kind, subject, account, expires);
    }

    function _decide(ProposalId id, Proposal storage p) private {
        uint256 members = _active.size();
        if (Rota.isMajority((p.yes & _active).size(), members)) {
            p.state = ProposalState.Passed;
            SiteId site = p.kind == ProposalKind.Admit ? _siteCount() : p.subject;
            emit ProposalClosed(id, site, true);
            _carryOut(p);
        } else if (2 * (p.no & _active).size() >= members) {
            p.state = ProposalState.Rejected;
            emit ProposalClosed(id, p.subject, false);
        }
    }

    function _carryOut(Proposal storage p) private {
        if (p.kind == ProposalKind.Admit) {
            _admit(p.candidate);
            return;
        }
        _checkAllowed(p.kind, p.subject);
        if (p.kind == ProposalKind.Reinstate) _setState(p.subject, SiteState.Active);
        else _setState(p.subject, p.kind == ProposalKind.Suspend ? SiteState.Suspended : SiteState.Removed);
    }

    function _checkAllowed(ProposalKind kind, SiteId subject) private view {
        SiteState state = _stored(subject).state;
        bool active = state == SiteState.Active;
        bool suspended = state == SiteState.Suspended;
        bool fits = kind == ProposalKind.Remove ? active || suspended : kind == ProposalKind.Suspend ? active : suspended;
        if (!fits) revert SiteRegistry_WrongState(subject, state);
        if (_active == Bitmap.only(subject)) revert SiteRegistry_LastSite(subject);
    }

    function _known(ProposalId id) private view returns (Proposal storage) {
        uint32 number = ProposalId.unwrap(id);
        if (number == 0 || number > _proposalCount) revert SiteRegistry_UnknownProposal(id);
        return _proposals[number];
    }

    function _stateOf(Proposal storage p) private view returns (ProposalState) {
        return p.state == ProposalState.Open && block.timestamp >= p.expires ? ProposalState.Expired : p.state;
    }
}
