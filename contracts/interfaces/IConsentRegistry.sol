// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LawfulBasis, SignedWithdrawal, Terms, TermsView} from "../types/Consents.sol";
import {SiteId} from "../types/Ids.sol";

/// @title Consent: agreed to under published terms, granted as one root per site and epoch, withdrawn as one tag
/// @notice Nothing about a person is on chain. A programme's terms are public, text and all. Grants are leaves of a padded Merkle tree
/// that the site keeps. A withdrawal is tag = keccak256(blind ‖ patientKey): `blind` is 32 bytes given to the patient with the grant,
/// `patientKey` the address of a key used once. A withdrawn tag is never valid again; consenting anew makes a new one.
/// Each round's opening block is on chain: a tag withdrawn at or before it must be absent from the round's cohorts.
interface IConsentRegistry {
    /// @notice A programme's terms from now on. `text` is their canonical form, so that anyone reads them from the chain alone.
    event TermsPublished(
        bytes32 indexed programme,
        SiteId indexed site,
        uint32 version,
        bytes32 digest,
        LawfulBasis basis,
        address ombudsman,
        uint40 expiresAt,
        bytes text
    );
    /// @notice A site's grants of a programme, as of its `epoch`.
    event ConsentRoot(SiteId indexed site, bytes32 indexed programme, uint64 epoch, bytes32 root);
    /// @notice A consent ended.
    event ConsentWithdrawn(bytes32 indexed programme, bytes32 indexed tag);
    /// @notice Consents ended, each of them for the first time, by one call.
    event ConsentsWithdrawn(bytes32 indexed programme, bytes32[] tags);

    /// @notice The caller is not the node of an active site.
    error ConsentRegistry_NotActive(address caller);
    /// @notice The caller is not the steward of an active site.
    error ConsentRegistry_NotSteward(address caller);
    /// @notice Another site published the programme's first terms.
    error ConsentRegistry_NotKeeper(bytes32 programme, SiteId site, SiteId keeper);
    /// @notice Versions of terms count from 1 without a gap.
    error ConsentRegistry_NotNextVersion(bytes32 programme, uint32 version, uint32 next);
    /// @notice The digest is not that of the text.
    error ConsentRegistry_OtherText(bytes32 digest, bytes32 actual);
    /// @notice The text is empty or longer than 16,384 bytes.
    error ConsentRegistry_BadLength(uint256 length);
    /// @notice Terms must be good for some time.
    error ConsentRegistry_Expired(uint40 expiresAt);
    /// @notice Epochs rise; the first may be any.
    error ConsentRegistry_EpochNotRising(SiteId site, bytes32 programme, uint64 epoch, uint64 last);
    /// @notice A root is never zero.
    error ConsentRegistry_ZeroRoot();
    /// @notice The tag has been withdrawn.
    error ConsentRegistry_AlreadyWithdrawn(bytes32 programme, bytes32 tag);
    /// @notice The signature is not this key's over this withdrawal.
    error ConsentRegistry_BadSignature(address key);
    /// @notice The programme has no terms, or its newest ones name no ombudsman.
    error ConsentRegistry_NoOmbudsman(bytes32 programme);

    /// @notice Publishes a programme's terms, or their next version. Emits {TermsPublished}.
    /// Version 1 also pays, some 1.9 million gas, for the words in which the epochs of 256 sites stand, so that no root does later.
    /// @dev Requirements, in this order: the caller is the steward of an active site; for version 1 any site, which keeps the programme
    /// from then on, later its keeper alone; the version after the newest; a text of 1 to 16,384 bytes; its SHA-256; an expiry to come.
    function publishTerms(bytes32 programme, Terms calldata terms) external;

    /// @notice Commits to the grants that the caller's site holds. Emits {ConsentRoot}. Also of a programme without terms: there the first
    /// of three sites pays for a new word.
    /// @param epoch higher than the site's last for this programme; below 2^64 - 1
    function setRoot(bytes32 programme, uint64 epoch, bytes32 root) external;

    /// @notice Withdraws one consent; anyone may relay it.
    /// @dev Requirements, in this order: not yet withdrawn; the caller is `patientKey` (then `signature` is not read), or
    /// `signature` (65 bytes) is its EIP-712 signature over Withdraw(bytes32 programme,bytes32 tag) in the domain
    /// (name "Rota", version "1", chain id, this contract). Emits {ConsentWithdrawn}.
    function withdraw(bytes32 programme, bytes32 blind, address patientKey, bytes calldata signature) external;

    /// @notice Withdraws many, each with the signature that {withdraw} asks for; anyone may relay them.
    /// @dev What was withdrawn before and what is not signed by its key is passed over, so that one bad withdrawal stops no good one:
    /// it has the effect of calling {withdraw} for each in turn and going on where that fails. Emits {ConsentsWithdrawn} with the tags
    /// that it withdrew, and nothing where there was none.
    function withdrawMany(bytes32 programme, SignedWithdrawal[] calldata withdrawals) external;

    /// @notice Withdraws one consent for a patient, by the key that the programme's newest terms name.
    /// @dev Requirements, in this order: the terms name an ombudsman; not yet withdrawn; the caller is the ombudsman (then `signature`
    /// is not read), or `signature` is its EIP-712 signature over OmbudsmanWithdraw(bytes32 programme,bytes32 tag) in the domain of
    /// {withdraw}. Emits {ConsentWithdrawn}.
    function withdrawByOmbudsman(bytes32 programme, bytes32 tag, bytes calldata signature) external;

    /// @notice Block in which a tag was withdrawn; 0 when it was not.
    function withdrawnAt(bytes32 programme, bytes32 tag) external view returns (uint256 blockNumber);

    /// @notice A programme's newest terms.
    function termsOf(bytes32 programme) external view returns (TermsView memory);

    /// @notice The epoch of a site's last root for a programme; `set` is false when it set none. The root is in {ConsentRoot} alone.
    function epochOf(SiteId site, bytes32 programme) external view returns (uint64 epoch, bool set);

    /// @notice The tag of a grant.
    function tagOf(bytes32 blind, address patientKey) external pure returns (bytes32 tag);
}
