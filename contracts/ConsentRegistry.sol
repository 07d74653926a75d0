// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IConsentRegistry} from "./interfaces/IConsentRegistry.sol";
import {ISiteRegistry} from "./interfaces/ISiteRegistry.sol";
import {Bitmap} from "./libraries/Bitmap.sol";
import {SiteId} from "./types/Ids.sol";
import {Role} from "./types/Sites.sol";

/// @title ConsentRegistry
contract ConsentRegistry is IConsentRegistry, EIP712 {
    using Bitmap for uint256;

    bytes32 private constant WITHDRAW_TYPE = keccak256("Withdraw(bytes32 programme,bytes32 tag)");

    /// @dev `set` tells epoch 0 from none.
    struct Grants {
        uint64 epoch;
        bool set;
        bytes32 root;
    }

    ISiteRegistry private immutable SITES;
    mapping(bytes32 programme => mapping(bytes32 tag => uint256 blockNumber)) private _withdrawnAt;
    mapping(SiteId site => mapping(bytes32 programme => Grants)) private _grants;

    constructor(ISiteRegistry sites_) EIP712("Rota", "1") {
        SITES = sites_;
    }

    /// @notice The registry of sites that this one reads.
    function sites() external view returns (ISiteRegistry) {
        return SITES;
    }

    /// @inheritdoc IConsentRegistry
    function setRoot(bytes32 programme, uint64 epoch, bytes32 root) external {
        // Check: an active site, a rising epoch
        (SiteId site, Role role) = SITES.siteOf(msg.sender);
        if (role != Role.Node || !SITES.activeSites().has(site)) revert ConsentRegistry_NotActive(msg.sender);
        if (root == 0) revert ConsentRegistry_ZeroRoot();
        Grants storage last = _grants[site][programme];
        if (last.set && epoch <= last.epoch) revert ConsentRegistry_EpochNotRising(site, programme, epoch, last.epoch);
        // Effect: the site's grants
        _grants[site][programme] = Grants(epoch, true, root);
        emit ConsentRoot(site, programme, epoch, root);
    }

    /// @inheritdoc IConsentRegistry
    function withdraw(bytes32 programme, bytes32 blind, address patientKey, bytes calldata signature) external {
        // Check: for the first time, by the key itself or with its signature
        bytes32 tag = tagOf(blind, patientKey);
        if (_withdrawnAt[programme][tag] != 0) revert ConsentRegistry_AlreadyWithdrawn(programme, tag);
        if (msg.sender != patientKey) _checkSignature(programme, tag, patientKey, signature);
        // Effect: withdrawn, for ever
        _withdrawnAt[programme][tag] = block.number;
        emit ConsentWithdrawn(programme, tag);
    }

    /// @inheritdoc IConsentRegistry
    function withdrawnAt(bytes32 programme, bytes32 tag) external view returns (uint256) {
        return _withdrawnAt[programme][tag];
    }

    /// @inheritdoc IConsentRegistry
    function rootOf(SiteId site, bytes32 programme) external view returns (uint64 epoch, bytes32 root) {
        Grants storage g = _grants[site][programme];
        return (g.epoch, g.root);
    }

    /// @inheritdoc IConsentRegistry
    function tagOf(bytes32 blind, address patientKey) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(blind, patientKey));
    }

    function _checkSignature(bytes32 programme, bytes32 tag, address patientKey, bytes calldata signature) private view {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(WITHDRAW_TYPE, programme, tag)));
        (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (fault != ECDSA.RecoverError.NoError || signer != patientKey) revert ConsentRegistry_BadSignature(patientKey);
    }
}
