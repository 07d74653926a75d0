// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISiteRegistry} from "../interfaces/ISiteRegistry.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {MAX_SITES, NO_SITE, SiteId} from "../types/Ids.sol";
import {RecoveryView, Role, SiteDetails, SiteState, SiteView} from "../types/Sites.sol";

/// @title Sites, their accounts and how those are replaced
/// @notice Part of SiteRegistry: everything but votes.
abstract contract SiteAccounts is ISiteRegistry {
    using Bitmap for uint256;

    /// @dev Time in which a steward can cancel a recovery.
    uint64 private constant RECOVERY_DELAY = 48 hours;

    struct Site {
        SiteState state;
        SiteDetails details;
        RecoveryView recovery;
    }

    /// @dev Read in every call of every contract: one word. `role` None says that the account is free.
    struct Account {
        SiteId site;
        Role role;
    }

    uint256 internal _active;
    Site[] private _sites;
    mapping(address account => Account) private _accounts;

    /// @inheritdoc ISiteRegistry
    function rotateNode(SiteId id, address node) external {
        // Check: node or steward
        Site storage s = _stored(id);
        if (msg.sender != s.details.node && msg.sender != s.details.steward) revert SiteRegistry_WrongAccount(id, msg.sender);
        // Effect: the account
        _replace(id, Role.Node, s.details.node, node);
        s.details.node = node;
        emit SiteChanged(id, s.state);
    }

    /// @inheritdoc ISiteRegistry
    function rotateSteward(SiteId id, address steward) external {
        // Check: steward
        Site storage s = _stored(id);
        if (msg.sender != s.details.steward) revert SiteRegistry_WrongAccount(id, msg.sender);
        // Effect: the account
        _replace(id, Role.Steward, s.details.steward, steward);
        s.details.steward = steward;
        emit SiteChanged(id, s.state);
    }

    /// @inheritdoc ISiteRegistry
    function setContact(SiteId id, string memory peerId, bytes32 encryptionKey, string[] memory multiaddrs) external {
        // Check: node or steward
        Site storage s = _stored(id);
        if (msg.sender != s.details.node && msg.sender != s.details.steward) revert SiteRegistry_WrongAccount(id, msg.sender);
        // Effect: contact, then checked as a whole
        (s.details.peerId, s.details.encryptionKey, s.details.multiaddrs) = (peerId, encryptionKey, multiaddrs);
        _checkDetails(s.details);
        emit SiteChanged(id, s.state);
    }

    /// @inheritdoc ISiteRegistry
    function startRecovery(SiteId id, address node, address steward, address recovery) external {
        // Check: recovery account
        Site storage s = _stored(id);
        if (msg.sender != s.details.recovery) revert SiteRegistry_WrongAccount(id, msg.sender);
        // Effect: the clock starts
        uint64 readyAt = uint64(block.timestamp) + RECOVERY_DELAY;
        s.recovery = RecoveryView(node, steward, recovery, readyAt);
        emit RecoveryStarted(id, node, steward, recovery, readyAt);
    }

    /// @inheritdoc ISiteRegistry
    function cancelRecovery(SiteId id) external {
        // Check: steward, and something to cancel
        Site storage s = _stored(id);
        if (msg.sender != s.details.steward) revert SiteRegistry_WrongAccount(id, msg.sender);
        if (s.recovery.readyAt == 0) revert SiteRegistry_NoRecovery(id);
        // Effect: nothing is under way
        delete s.recovery;
        emit RecoveryCancelled(id);
    }

    /// @inheritdoc ISiteRegistry
    function finishRecovery(SiteId id) external {
        // Check: under way and old enough
        Site storage s = _stored(id);
        RecoveryView memory r = s.recovery;
        if (r.readyAt == 0) revert SiteRegistry_NoRecovery(id);
        if (block.timestamp < r.readyAt) revert SiteRegistry_TooEarly(id, r.readyAt);
        // Effect: old accounts go first, so that one may come back in another role
        delete _accounts[s.details.node];
        delete _accounts[s.details.steward];
        delete _accounts[s.details.recovery];
        delete s.recovery;
        (s.details.node, s.details.steward, s.details.recovery) = (r.node, r.steward, r.recovery);
        _take(id, Role.Node, r.node);
        _take(id, Role.Steward, r.steward);
        _take(id, Role.Recovery, r.recovery);
        emit AccountReplaced(id, Role.Node, r.node);
        emit AccountReplaced(id, Role.Steward, r.steward);
        emit AccountReplaced(id, Role.Recovery, r.recovery);
        emit SiteChanged(id, s.state);
    }

    /// @inheritdoc ISiteRegistry
    function nodeSite(address account) external view returns (SiteId) {
        Account memory a = _accounts[account];
        if (a.role != Role.Node) revert SiteRegistry_NotNode(account);
        return a.site;
    }

    /// @inheritdoc ISiteRegistry
    function siteOf(address account) external view returns (SiteId, Role) {
        Account memory a = _accounts[account];
        return a.role == Role.None ? (NO_SITE, Role.None) : (a.site, a.role);
    }

    /// @inheritdoc ISiteRegistry
    function activeSites() external view returns (uint256) {
        return _active;
    }

    /// @inheritdoc ISiteRegistry
    function siteCount() external view returns (uint256) {
        return _sites.length;
    }

    /// @inheritdoc ISiteRegistry
    function site(SiteId id) public view returns (SiteView memory) {
        Site storage s = _stored(id);
        return SiteView(id, s.state, s.details);
    }

    /// @inheritdoc ISiteRegistry
    function sites() external view returns (SiteView[] memory all) {
        all = new SiteView[](_sites.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = site(SiteId.wrap(uint16(i)));
        }
    }

    /// @inheritdoc ISiteRegistry
    function recoveryOf(SiteId id) external view returns (RecoveryView memory) {
        return _stored(id).recovery;
    }

    function _admit(SiteDetails memory details) internal {
        // Check: an id is left, details and accounts are good
        if (_sites.length == MAX_SITES) revert SiteRegistry_Full();
        _checkDetails(details);
        // Effect: the site, active
        SiteId id = _siteCount();
        _sites.push().details = details;
        _take(id, Role.Node, details.node);
        _take(id, Role.Steward, details.steward);
        _take(id, Role.Recovery, details.recovery);
        _setState(id, SiteState.Active);
    }

    function _setState(SiteId id, SiteState state) internal {
        _sites[SiteId.unwrap(id)].state = state;
        if (state == SiteState.Active) _active |= Bitmap.only(id);
        else _active &= ~Bitmap.only(id);
        emit SiteChanged(id, state);
    }

    function _replace(SiteId id, Role role, address old, address account) private {
        delete _accounts[old];
        _take(id, role, account);
        emit AccountReplaced(id, role, account);
    }

    function _take(SiteId id, Role role, address account) private {
        if (account == address(0) || _accounts[account].role != Role.None) revert SiteRegistry_AccountTaken(account);
        _accounts[account] = Account(id, role);
    }

    function _checkFree(SiteDetails memory d) internal view {
        address[3] memory three = [d.node, d.steward, d.recovery];
        for (uint256 i = 0; i < 3; ++i) {
            bool again = three[i] == three[(i + 1) % 3];
            if (again || three[i] == address(0) || _accounts[three[i]].role != Role.None) revert SiteRegistry_AccountTaken(three[i]);
        }
    }

    function _checkDetails(SiteDetails memory d) internal pure {
        bool named = bytes(d.name).length > 0 && bytes(d.name).length <= 64;
        bool reachable = bytes(d.peerId).length > 0 && bytes(d.peerId).length <= 128 && d.multiaddrs.length <= 8;
        for (uint256 i = 0; reachable && i < d.multiaddrs.length; ++i) {
            reachable = bytes(d.multiaddrs[i]).length <= 256;
        }
        if (!named || !reachable || d.encryptionKey == 0) revert SiteRegistry_BadDetails();
    }

    /// @dev Site of the caller when it is node or steward of an active one.
    function _activeMember() internal view returns (SiteId id) {
        Account memory a = _accounts[msg.sender];
        bool speaks = a.role == Role.Node || a.role == Role.Steward;
        if (!speaks || !_active.has(a.site)) revert SiteRegistry_NotActive(msg.sender);
        return a.site;
    }

    function _siteCount() internal view returns (SiteId) {
        return SiteId.wrap(uint16(_sites.length));
    }

    function _stored(SiteId id) internal view returns (Site storage) {
        if (SiteId.unwrap(id) >= _sites.length) revert SiteRegistry_UnknownSite(id);
        return _sites[SiteId.unwrap(id)];
    }
}
