// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Tags and signatures of withdrawals in a batch
/// @notice Nothing is allocated: a batch goes through these functions for each of its withdrawals, and what they would leave in memory
/// costs a twentieth of the gas.
library Withdrawal {
    /// @dev Of two s that fit a message only the smaller counts, as in OpenZeppelin's ECDSA: half the order of the curve's group.
    uint256 private constant GREATEST_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice keccak256(blind ‖ patientKey)
    function tagOf(bytes32 blind, address patientKey) internal pure returns (bytes32 tag) {
        assembly ("memory-safe") {
            mstore(0x00, blind)
            mstore(0x20, shl(96, patientKey))
            tag := keccak256(0x00, 0x34)
        }
    }

    /// @notice EIP-712 digest of a struct of two words.
    /// @param kind hash of the struct's type
    function digestOf(bytes32 domain, bytes32 kind, bytes32 programme, bytes32 tag) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, kind)
            mstore(add(free, 0x20), programme)
            mstore(add(free, 0x40), tag)
            let struct_ := keccak256(free, 0x60)
            mstore(free, hex"1901")
            mstore(add(free, 0x02), domain)
            mstore(add(free, 0x22), struct_)
            digest := keccak256(free, 0x42)
        }
    }

    /// @notice Who signed, by the compact form of EIP-2098; zero when nobody did.
    function signerOf(bytes32 digest, bytes32 r, bytes32 vs) internal view returns (address signer) {
        uint256 s = uint256(vs) & (type(uint256).max >> 1);
        if (s > GREATEST_S) return address(0);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, digest)
            mstore(add(free, 0x20), add(shr(255, vs), 27))
            mstore(add(free, 0x40), r)
            mstore(add(free, 0x60), s)
            mstore(0x00, 0)
            // ecrecover, which returns nothing for what nobody signed.
            pop(staticcall(gas(), 0x01, free, 0x80, 0x00, 0x20))
            signer := mload(0x00)
        }
    }
}
