// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SiteId} from "../types/Ids.sol";

/// @title Consent: granted as one root per site and epoch, withdrawn as one tag
/// @notice Nothing about a person is on chain. Grants are leaves of a padded Merkle tree that the site keeps. A withdrawal is
/// tag = keccak256(blind ‖ patientKey): `blind` is 32 bytes given to the patient with the grant, `patientKey` the address of a
/// key used once. A withdrawn tag is never valid again; consenting anew makes a new one.
/// Each round's opening block is on chain: a tag withdrawn at or before it must be absent from the round's cohorts.
interface IConsentRegistry {
    /// @notice A site's grants of a programme, as of its `epoch`.
    event ConsentRoot(SiteId indexed site, bytes32 indexed programme, uint64 epoch, bytes32 root);
    /// @notice A consent ended.
    event ConsentWithdrawn(bytes32 indexed programme, bytes32 indexed tag);

    /// @notice The caller is not the node of an active site.
    error ConsentRegistry_NotActive(address caller);
    /// @notice Epochs rise; the first may be any.
    error ConsentRegistry_EpochNotRising(SiteId site, bytes32 programme, uint64 epoch, uint64 last);
    /// @notice A root is never zero.
    error ConsentRegistry_ZeroRoot();
    /// @notice The tag has been withdrawn.
    error ConsentRegistry_AlreadyWithdrawn(bytes32 programme, bytes32 tag);
    /// @notice The signature is not the patient key's over this withdrawal.
    error ConsentRegistry_BadSignature(address patientKey);

    /// @notice Commits to the grants that the caller's site holds. Emits {ConsentRoot}.
    /// @param epoch higher than the site's last for this programme
    function setRoot(bytes32 programme, uint64 epoch, bytes32 root) external;

    /// @notice Withdraws one consent; anyone may relay it.
    /// @dev Requirements, in this order: not yet withdrawn; the caller is `patientKey` (then `signature` is not read), or
    /// `signature` (65 bytes) is its EIP-712 signature over Withdraw(bytes32 programme,bytes32 tag) in the domain
    /// (name "Rota", version "1", chain id, this contract). Emits {ConsentWithdrawn}.
    function withdraw(bytes32 programme, bytes32 blind, address patientKey, bytes calldata signature) external;

    /// @notice Block in which a tag was withdrawn; 0 when it was not.
    function withdrawnAt(bytes32 programme, bytes32 tag) external view returns (uint256 blockNumber);

    /// @notice A site's last root and epoch for a programme; zero when it set none.
    function rootOf(SiteId site, bytes32 programme) external view returns (uint64 epoch, bytes32 root);

    /// @notice The tag of a grant.
    function tagOf(bytes32 blind, address patientKey) external pure returns (bytes32 tag);
}
