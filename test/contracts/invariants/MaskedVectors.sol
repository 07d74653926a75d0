// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRoundCoordinator} from "../../../contracts/interfaces/IRoundCoordinator.sol";
import {Bitmap} from "../../../contracts/libraries/Bitmap.sol";
import {Evidence} from "../../../contracts/types/Disputes.sol";
import {RoundNo, RunId, SiteId} from "../../../contracts/types/Ids.sol";

/// @notice Updates for RoundHandler: one leaf of 32 equal words each, so that their sum is one word again, added plainly.
contract MaskedVectors {
    using Bitmap for uint256;

    function updateRoot(uint32 round, uint256 site) external pure returns (bytes32) {
        return _root(_word(round, site));
    }

    /// @param flipped bits that are wrong in each of the sum's words
    function sumRoot(uint32 round, uint256 included, uint256 flipped) external pure returns (bytes32) {
        return _root(_sum(round, included) ^ flipped);
    }

    /// @notice The call that strikes the sum if it is wrong.
    function disputeCall(RunId run, uint32 round, uint256 included, bytes32 published, bytes calldata contributions) external pure returns (bytes memory) {
        Evidence memory e;
        (e.leaves, e.contributions, e.sum) = (1, contributions, abi.encodePacked(published));
        for (uint256 i = 0; i < contributions.length; i += 33) {
            uint256 site = uint8(contributions[i]);
            if (included.has(SiteId.wrap(uint16(site)))) e.updates = abi.encodePacked(e.updates, _leaf(_word(round, site)));
        }
        return abi.encodeCall(IRoundCoordinator.dispute, (run, RoundNo.wrap(round), e));
    }

    function _word(uint32 round, uint256 site) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(round, site)));
    }

    function _leaf(uint256 word) private pure returns (bytes memory) {
        uint256[32] memory words;
        for (uint256 i = 0; i < 32; ++i) {
            words[i] = word;
        }
        return abi.encodePacked(words);
    }

    function _root(uint256 word) private pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(0), _leaf(word)));
    }

    /// @dev Four little-endian words of 64 bits, added one by one.
    function _sum(uint32 round, uint256 included) private pure returns (uint256 sum) {
        for (uint256 shift = 0; shift < 256; shift += 64) {
            uint64 total = 0;
            for (uint256 site = 0; site < 256; ++site) {
                if (!included.has(SiteId.wrap(uint16(site)))) continue;
                unchecked {
                    total += _swap(uint64(_word(round, site) >> shift));
                }
            }
            sum |= uint256(_swap(total)) << shift;
        }
    }

    function _swap(uint64 word) private pure returns (uint64 swapped) {
        for (uint256 i = 0; i < 8; ++i) {
            swapped |= uint64(uint8(word >> (8 * i))) << uint64(8 * (7 - i));
        }
    }
}
