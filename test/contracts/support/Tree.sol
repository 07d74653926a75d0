// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Vectors as lists of leaves, their trees by the recursion of RFC 6962, and their sums word by word: slow and plain.
abstract contract Tree {
    /// @notice A leaf of random words, or of words near their end, where carries run.
    function leafOf(uint256 seed, uint256 index, bool high) internal pure returns (bytes memory leaf) {
        uint256[32] memory words;
        for (uint256 i = 0; i < 32; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, index, i)));
            words[i] = high ? word | type(uint256).max << 16 : word;
        }
        return abi.encodePacked(words);
    }

    function vectorOf(uint256 seed, uint256 size) internal pure returns (bytes[] memory leaves) {
        leaves = new bytes[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = leafOf(seed, i, false);
        }
    }

    function rootOf(bytes[] memory leaves) internal pure returns (bytes32) {
        return _root(leaves, 0, leaves.length);
    }

    /// @notice Siblings from the leaf up, 32 bytes each.
    function pathOf(bytes[] memory leaves, uint256 leaf) internal pure returns (bytes memory path) {
        (uint256 from, uint256 to) = (0, leaves.length);
        while (to - from > 1) {
            uint256 middle = from + _split(to - from);
            if (leaf < middle) {
                path = abi.encodePacked(_root(leaves, middle, to), path);
                to = middle;
            } else {
                path = abi.encodePacked(_root(leaves, from, middle), path);
                from = middle;
            }
        }
    }

    /// @notice Little-endian words added one by one.
    function plainSum(bytes[] memory leaves, uint256 wordBits) internal pure returns (bytes memory sum) {
        sum = new bytes(1024);
        uint256 wordBytes = wordBits / 8;
        for (uint256 word = 0; word < 1024; word += wordBytes) {
            uint256 total = 0;
            for (uint256 i = 0; i < leaves.length; ++i) {
                for (uint256 b = 0; b < wordBytes; ++b) {
                    total += uint256(uint8(leaves[i][word + b])) << (8 * b);
                }
            }
            for (uint256 b = 0; b < wordBytes; ++b) {
                sum[word + b] = bytes1(uint8(total >> (8 * b)));
            }
        }
    }

    function _root(bytes[] memory leaves, uint256 from, uint256 to) private pure returns (bytes32) {
        if (to - from == 1) return sha256(abi.encodePacked(uint8(0), leaves[from]));
        uint256 middle = from + _split(to - from);
        return sha256(abi.encodePacked(uint8(1), _root(leaves, from, middle), _root(leaves, middle, to)));
    }

    /// @dev Largest power of two below n, n at least 2.
    function _split(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }
}
