// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Leaves of vectors: where they hang, and their sum
/// @notice Trees as in RFC 6962 over leaves of 1 KiB: leaf = SHA-256(0x00 ‖ 1024 bytes), node = SHA-256(0x01 ‖ left ‖ right), the
/// odd last node of a level promoted. A leaf's *place* is the way from the root to it: its depth, and a side for each level.
/// A *branch* is a leaf with its siblings, from below, 32 bytes each.
/// @dev SHA-256 is the precompile at address 2. A call of it that fails, for want of gas, reverts: what would lie in memory then is an
/// older hash, and who chooses the gas would choose the verdict.
library LeafSum {
    /// @notice Bytes of a leaf; the last one of a vector is padded with zeros.
    uint256 internal constant LEAF = 1024;
    /// @notice Leaves that a tree may have here: vectors of 16 GiB. Keeps a place at 24 levels.
    uint256 internal constant MOST_LEAVES = 1 << 24;

    /// @dev Every other byte of a word: 16 lanes of 16 bits.
    uint256 private constant LANES = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    /// @dev All lanes but the first of each ring word, where no carry may come in.
    uint256 private constant INNER_32 = 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff;
    uint256 private constant INNER_64 = 0x000000ff00ff00ff000000ff00ff00ff000000ff00ff00ff000000ff00ff00ff;

    /// @notice Place of a leaf in a tree of so many leaves.
    /// @dev `leaf` must be less than `leaves`. Bit k of `sides` is 1 when the k-th node from the leaf up is a right child.
    function place(uint256 leaf, uint256 leaves) internal pure returns (uint256 sides, uint256 depth) {
        for (uint256 last = leaves - 1; last != 0; last >>= 1) {
            // A last node that is a left one has no sibling: it is promoted.
            if (leaf & 1 == 1 || leaf < last) {
                sides |= (leaf & 1) << depth;
                ++depth;
            }
            leaf >>= 1;
        }
    }

    /// @notice Root over a branch at a place: 1 KiB, then the siblings.
    function rootOfBranch(bytes calldata branch, uint256 sides) internal view returns (bytes32) {
        bytes32 hash;
        assembly ("memory-safe") {
            let leaf := mload(0x40)
            mstore8(leaf, 0)
            calldatacopy(add(leaf, 1), branch.offset, 1024)
            if iszero(staticcall(gas(), 2, leaf, 1025, 0, 32)) { revert(0, 0) }
            hash := mload(0)
        }
        return rootOf(hash, branch[LEAF:], sides);
    }

    /// @notice Root of the tree in which `hash` lies at this place with these siblings.
    /// @dev The loop takes two levels at a time, then the odd one.
    function rootOf(bytes32 hash, bytes calldata siblings, uint256 sides) internal view returns (bytes32 root) {
        assembly ("memory-safe") {
            // 0x01 ‖ left ‖ right; each hash is written where the next level wants it.
            let node := mload(0x40)
            let left := add(node, 1)
            let both := add(add(left, left), 32)
            mstore8(node, 1)
            sides := shl(5, sides)
            let here := add(left, and(sides, 32))
            mstore(here, hash)
            let done := 1
            let from := siblings.offset
            let end := add(from, siblings.length)
            for {} lt(add(from, 32), end) { from := add(from, 32) } {
                mstore(sub(both, here), calldataload(from))
                sides := shr(1, sides)
                here := add(left, and(sides, 32))
                done := and(done, staticcall(gas(), 2, node, 65, here, 32))
                from := add(from, 32)
                mstore(sub(both, here), calldataload(from))
                sides := shr(1, sides)
                here := add(left, and(sides, 32))
                done := and(done, staticcall(gas(), 2, node, 65, here, 32))
            }
            if lt(from, end) {
                mstore(sub(both, here), calldataload(from))
                sides := shr(1, sides)
                here := add(left, and(sides, 32))
                done := and(done, staticcall(gas(), 2, node, 65, here, 32))
            }
            if iszero(done) { revert(0, 0) }
            root := mload(here)
        }
    }

    /// @notice Sum of the leaves with which branches begin, modulo 2^32 or 2^64 in each little-endian word.
    /// @dev Column by column of 32 bytes: bytes at even places are added up apart, each in a lane of 16 bits, beside the plain sum of the
    /// columns modulo 2^256; what this sum has beyond the even bytes are the odd ones. Carries are resolved once at the end. At most 256
    /// leaves: 256 · 255 and a carry of 255 fill 16 bits. The loop over leaves takes four at a time, then the rest.
    /// @param branches one after another, each of `stride` bytes
    /// @param first another leaf; empty: none
    function add(bytes calldata branches, uint256 stride, bytes calldata first, uint256 wordBits) internal pure returns (uint256[32] memory sum) {
        for (uint256 column = 0; column < LEAF; column += 32) {
            uint256 even;
            uint256 all;
            assembly ("memory-safe") {
                if first.length {
                    all := calldataload(add(first.offset, column))
                    even := and(shr(8, all), LANES)
                }
                let from := add(branches.offset, column)
                let end := add(branches.offset, branches.length)
                for { let three := mul(3, stride) } lt(add(from, three), end) { from := add(from, stride) } {
                    let word := calldataload(from)
                    all := add(all, word)
                    even := add(even, and(shr(8, word), LANES))
                    from := add(from, stride)
                    word := calldataload(from)
                    all := add(all, word)
                    even := add(even, and(shr(8, word), LANES))
                    from := add(from, stride)
                    word := calldataload(from)
                    all := add(all, word)
                    even := add(even, and(shr(8, word), LANES))
                    from := add(from, stride)
                    word := calldataload(from)
                    all := add(all, word)
                    even := add(even, and(shr(8, word), LANES))
                }
                for {} lt(from, end) { from := add(from, stride) } {
                    let word := calldataload(from)
                    all := add(all, word)
                    even := add(even, and(shr(8, word), LANES))
                }
            }
            unchecked {
                sum[column / 32] = resolve(even, all - (even << 8), wordBits);
            }
        }
    }

    /// @notice Lanes of even and odd bytes as words of a ring.
    /// @dev One step takes a carry from an even byte to the odd one beside it and on to the next even one, in all ring words at
    /// once: as many steps as a ring word has pairs of bytes.
    function resolve(uint256 even, uint256 odd, uint256 wordBits) internal pure returns (uint256) {
        uint256 inner = wordBits == 32 ? INNER_32 : INNER_64;
        unchecked {
            for (uint256 step = 0; step < wordBits; step += 16) {
                odd += (even >> 8) & LANES;
                even = (even & LANES) + ((odd >> 24) & inner);
                odd &= LANES;
            }
        }
        return (even << 8) | odd;
    }

    /// @notice Hash of a leaf in memory.
    function hashOf(uint256[32] memory leaf) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let copy := mload(0x40)
            mstore8(copy, 0)
            mcopy(add(copy, 1), leaf, 1024)
            if iszero(staticcall(gas(), 2, copy, 1025, 0, 32)) { revert(0, 0) }
            hash := mload(0)
        }
    }
}
