// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {Withdrawal} from "./libraries/Withdrawal.sol";
import {SignedWithdrawal, Terms, TermsView} from "./types/Consents.sol";
import {MAX_SITES, SiteId} from "./types/Ids.sol";
import {Role} from "./types/Sites.sol";

/// @title ConsentRegistry
contract ConsentRegistry is IConsentRegistry, EIP712 {
    using Bitmap for uint256;

    bytes32 private constant WITHDRAW_TYPE = keccak256("Withdraw(bytes32 programme,bytes32 tag)");
    bytes32 private constant OMBUDSMAN_TYPE = keccak256("OmbudsmanWithdraw(bytes32 programme,bytes32 tag)");
    uint256 private constant MAX_TEXT = 16_384;
    uint256 private constant MADE = 1 << 255;

    ISiteRegistry private immutable SITES;
    mapping(bytes32 programme => TermsView) private _terms;
    mapping(bytes32 programme => mapping(bytes32 tag => uint256 blockNumber)) private _withdrawnAt;
    /// @dev Of each site the number of its newest epoch, plus 1, in 64 bits; three sites share a word, whose highest bit says that terms made it. So no root
    /// of a programme with terms pays for a new word, whoever is admitted later. Roots are in events.
    mapping(bytes32 programme => mapping(uint256 group => uint256)) private _epochs;

    constructor(ISiteRegistry sites_) EIP712("Rota", "1") {
        SITES = sites_;
    }

    /// @notice The registry of sites that this one reads.
    function sites() external view returns (ISiteRegistry) {
        return SITES;
    }

    /// @inheritdoc IConsentRegistry
    function publishTerms(bytes32 programme, Terms calldata terms) external {
        // Check: the keeper's steward, the next version, the text that was read, time to come
        (SiteId site, Role role) = SITES.siteOf(msg.sender);
        if (role != Role.Steward || !SITES.activeSites().has(site)) revert ConsentRegistry_NotSteward(msg.sender);
        TermsView storage last = _terms[programme];
        if (last.version > 0 && site != last.keeper) revert ConsentRegistry_NotKeeper(programme, site, last.keeper);
        if (terms.version != last.version + 1) revert ConsentRegistry_NotNextVersion(programme, terms.version, last.version + 1);
        if (terms.text.length == 0 || terms.text.length > MAX_TEXT) revert ConsentRegistry_BadLength(terms.text.length);
        bytes32 actual = sha256(terms.text);
        if (terms.digest != actual) revert ConsentRegistry_OtherText(terms.digest, actual);
        if (terms.expiresAt <= block.timestamp) revert ConsentRegistry_Expired(terms.expiresAt);
        // Effect: the newest terms, and words for all sites' epochs with the first
        if (terms.version == 1) _makeWords(programme);
        _terms[programme] = TermsView(terms.version, site, terms.basis, terms.expiresAt, terms.ombudsman, actual);
        emit TermsPublished(programme, site, terms.version, actual, terms.basis, terms.ombudsman, terms.expiresAt, terms.text);
    }

    /// @inheritdoc IConsentRegistry
    function setRoot(bytes32 programme, uint64 epoch, bytes32 root) external {
        // Check: an active site, a rising epoch
        (SiteId site, Role role) = SITES.siteOf(msg.sender);
        if (role != Role.Node || !SITES.activeSites().has(site)) revert ConsentRegistry_NotActive(msg.sender);
        if (root == 0) revert ConsentRegistry_ZeroRoot();
        (uint256 group, uint256 shift) = _placeOf(site);
        uint256 word = _epochs[programme][group];
        uint64 next = uint64(word >> shift);
        if (epoch < next || epoch == type(uint64).max) revert ConsentRegistry_EpochNotRising(site, programme, epoch, next == 0 ? 0 : next - 1);
        // Effect: the site's newest epoch
        _epochs[programme][group] = (word & ~(uint256(type(uint64).max) << shift)) | (uint256(epoch + 1) << shift);
        emit ConsentRoot(site, programme, epoch, root);
    }

    /// @inheritdoc IConsentRegistry
    function withdraw(bytes32 programme, bytes32 blind, address patientKey, bytes calldata signature) external {
        // Check: for the first time, by the key itself or with its signature
        bytes32 tag = tagOf(blind, patientKey);
        if (_withdrawnAt[programme][tag] != 0) revert ConsentRegistry_AlreadyWithdrawn(programme, tag);
        if (msg.sender != patientKey) _checkSignature(WITHDRAW_TYPE, programme, tag, patientKey, signature);
        // Effect: withdrawn, for ever
        _withdrawnAt[programme][tag] = block.number;
        emit ConsentWithdrawn(programme, tag);
    }

    /// @inheritdoc IConsentRegistry
    function withdrawMany(bytes32 programme, SignedWithdrawal[] calldata withdrawals) external {
        mapping(bytes32 tag => uint256 blockNumber) storage withdrawn = _withdrawnAt[programme];
        bytes32 domain = _domainSeparatorV4();
        bytes32[] memory tags = new bytes32[](withdrawals.length);
        uint256 count = 0;
        for (uint256 i = 0; i < withdrawals.length; ++i) {
            SignedWithdrawal calldata w = withdrawals[i];
            // Check: for the first time, with the key's signature; the others are passed over
            address patientKey = w.patientKey;
            bytes32 tag = Withdrawal.tagOf(w.blind, patientKey);
            if (withdrawn[tag] != 0) continue;
            address signer = Withdrawal.signerOf(Withdrawal.digestOf(domain, WITHDRAW_TYPE, programme, tag), w.r, w.vs);
            if (signer != patientKey || signer == address(0)) continue;
            // Effect: withdrawn, for ever
            withdrawn[tag] = block.number;
            tags[count++] = tag;
        }
        if (count == 0) return;
        // The list is as long as what it holds.
        assembly ("memory-safe") {
            mstore(tags, count)
        }
        emit ConsentsWithdrawn(programme, tags);
    }

    /// @inheritdoc IConsentRegistry
    function withdrawByOmbudsman(bytes32 programme, bytes32 tag, bytes calldata signature) external {
        // Check: somebody whom the terms name, for the first time, by that key or with its signature
        address ombudsman = _terms[programme].ombudsman;
        if (ombudsman == address(0)) revert ConsentRegistry_NoOmbudsman(programme);
        if (_withdrawnAt[programme][tag] != 0) revert ConsentRegistry_AlreadyWithdrawn(programme, tag);
        if (msg.sender != ombudsman) _checkSignature(OMBUDSMAN_TYPE, programme, tag, ombudsman, signature);
        // Effect: withdrawn, for ever
        _withdrawnAt[programme][tag] = block.number;
        emit ConsentWithdrawn(programme, tag);
    }

    /// @inheritdoc IConsentRegistry
    function withdrawnAt(bytes32 programme, bytes32 tag) external view returns (uint256) {
        return _withdrawnAt[programme][tag];
    }

    /// @inheritdoc IConsentRegistry
    function termsOf(bytes32 programme) external view returns (TermsView memory) {
        return _terms[programme];
    }

    /// @inheritdoc IConsentRegistry
    function epochOf(SiteId site, bytes32 programme) external view returns (uint64 epoch, bool set) {
        (uint256 group, uint256 shift) = _placeOf(site);
        uint64 next = uint64(_epochs[programme][group] >> shift);
        return next == 0 ? (0, false) : (next - 1, true);
    }

    /// @inheritdoc IConsentRegistry
    function tagOf(bytes32 blind, address patientKey) public pure returns (bytes32) {
        return Withdrawal.tagOf(blind, patientKey);
    }

    function _makeWords(bytes32 programme) private {
        mapping(uint256 group => uint256) storage epochs = _epochs[programme];
        for (uint256 group = 0; group <= (MAX_SITES - 1) / 3; ++group) {
            epochs[group] |= MADE;
        }
    }

    function _placeOf(SiteId site) private pure returns (uint256 group, uint256 shift) {
        uint256 id = SiteId.unwrap(site);
        return (id / 3, 64 * (id % 3));
    }

    function _checkSignature(bytes32 kind, bytes32 programme, bytes32 tag, address key, bytes calldata signature) private view {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(kind, programme, tag)));
        (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (fault != ECDSA.RecoverError.NoError || signer != key) revert ConsentRegistry_BadSignature(key);
    }
}
