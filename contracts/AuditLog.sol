// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuditLog} from "./interfaces/IAuditLog.sol";
import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {SiteId} from "./types/Ids.sol";
import {Role} from "./types/Sites.sol";

/// @title AuditLog
contract AuditLog is IAuditLog {
    using Bitmap for uint256;

    ISiteRegistry private immutable SITES;

    constructor(ISiteRegistry sites_) {
        SITES = sites_;
    }

    /// @notice The registry of sites that this one reads.
    function sites() external view returns (ISiteRegistry) {
        return SITES;
    }

    /// @inheritdoc IAuditLog
    function record(uint8 category, bytes32 subject) external {
        // Check: one who speaks for an active site
        (SiteId site, Role role) = SITES.siteOf(msg.sender);
        bool speaks = role == Role.Node || role == Role.Steward;
        if (!speaks || !SITES.activeSites().has(site)) revert AuditLog_NotActive(msg.sender);
        // Effect: the event is the entry
        emit AuditEntry(site, category, subject);
    }
}
