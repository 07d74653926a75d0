// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuditLog} from "./AuditLog.sol";
import {ConsentRegistry} from "./ConsentRegistry.sol";
import {IRotaDirectory} from "./interfaces/IRotaDirectory.sol";
import {RoundCoordinator} from "./RoundCoordinator.sol";
import {StudyRegistry} from "./StudyRegistry.sol";

/// @title RotaDirectory
/// @notice Deployed last: SiteRegistry(founders), StudyRegistry(sites), RoundCoordinator(sites, studies) which makes its
/// ModelLedger and PrivacyLedger, ConsentRegistry(sites), AuditLog(sites), RotaDirectory(coordinator, consents, audits).
contract RotaDirectory is IRotaDirectory {
    address private immutable SITES;
    address private immutable STUDIES;
    address private immutable COORDINATOR;
    address private immutable CONSENTS;
    address private immutable MODELS;
    address private immutable AUDITS;
    address private immutable PRIVACY;
    uint256 private immutable DEPLOYED_AT;

    constructor(RoundCoordinator coordinator, ConsentRegistry consents, AuditLog audits) {
        // Check: all read the same sites
        address sites = address(coordinator.sites());
        address studies = address(coordinator.studies());
        if (address(StudyRegistry(studies).sites()) != sites) revert RotaDirectory_Mismatch(studies);
        if (address(consents.sites()) != sites) revert RotaDirectory_Mismatch(address(consents));
        if (address(audits.sites()) != sites) revert RotaDirectory_Mismatch(address(audits));
        // Effect: for ever
        (SITES, STUDIES, COORDINATOR) = (sites, studies, address(coordinator));
        (CONSENTS, MODELS, AUDITS) = (address(consents), address(coordinator.ledger()), address(audits));
        PRIVACY = address(coordinator.privacy());
        DEPLOYED_AT = coordinator.sites().deployedAtBlock();
    }

    /// @inheritdoc IRotaDirectory
    function version() external pure returns (string memory) {
        return "rota-contracts/7";
    }

    /// @inheritdoc IRotaDirectory
    function addresses() external view returns (Addresses memory) {
        return Addresses(SITES, STUDIES, COORDINATOR, CONSENTS, MODELS, AUDITS, PRIVACY, DEPLOYED_AT);
    }
}
