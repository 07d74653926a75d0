// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title One address for a network's contracts
/// @notice Nodes are given this address alone; they check `version` and read the others from it. Nothing in it changes.
interface IRotaDirectory {
    /// @notice The contracts, and the block from which their events are read.
    struct Addresses {
        address sites;
        address studies;
        address coordinator;
        address consents;
        address models;
        address audits;
        address privacy;
        uint256 deployedAtBlock;
    }

    /// @notice The contracts do not belong together.
    error RotaDirectory_Mismatch(address contract_);

    /// @notice "rota-contracts/7": raised when nodes of the last version could not work with these contracts, or nodes of this one with the last.
    function version() external view returns (string memory);

    /// @notice The network's contracts.
    function addresses() external view returns (Addresses memory);
}
