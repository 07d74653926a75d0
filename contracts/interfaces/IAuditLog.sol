// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SiteId} from "../types/Ids.sol";

/// @title What a site declares about itself
/// @notice Data access, export, incident: things that no other contract sees. An entry holds a digest, never a person.
interface IAuditLog {
    /// @notice A site declared something.
    /// @param category chosen by the network's rules
    /// @param subject digest of the document that says what
    event AuditEntry(SiteId indexed site, uint8 indexed category, bytes32 subject);

    /// @notice The caller is not node or steward of an active site.
    error AuditLog_NotActive(address caller);

    /// @notice Records a declaration of the caller's site, by node or steward while it is active. Emits {AuditEntry}.
    function record(uint8 category, bytes32 subject) external;
}
