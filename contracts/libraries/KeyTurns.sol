// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SiteId} from "../types/Ids.sol";
import {Bitmap} from "./Bitmap.sol";

/// @title Whose turn it is to draw a study's next key
/// @notice Who drew longest ago is first; those who never did come before, in cyclic order of ids from the publisher on, itself last. So
/// whoever keeps keys back comes round no more often than the others. Newcomers are last: they cannot hand the key before on.
/// @dev Same order as rankOf in node/round/key-turns.ts.
library KeyTurns {
    using Bitmap for uint256;

    /// @notice Seconds by which each place is behind the one before.
    uint256 internal constant SECONDS = 2;
    /// @dev Sites in a word of `last`.
    uint256 private constant LANES = 8;

    /// @notice Who drew a study's keys. `last`: 32 bits for each site, the number of the epoch that it drew last, plus 1.
    struct Drawers {
        uint256 ever;
        mapping(uint256 group => uint256) last;
    }

    /// @notice Notes that the site drew the epoch's key.
    function note(Drawers storage d, SiteId site, uint32 epoch) internal {
        uint256 id = SiteId.unwrap(site);
        uint256 shift = 32 * (id % LANES);
        uint256 others = d.last[id / LANES] & ~(uint256(type(uint32).max) << shift);
        d.last[id / LANES] = others | (uint256(epoch) + 1) << shift;
        d.ever |= Bitmap.only(site);
    }

    /// @notice How many members come before the site, one of them.
    /// @param newcomers those of the members who come after the others
    function placeOf(Drawers storage d, uint256 members, uint256 newcomers, SiteId publisher, SiteId site) internal view returns (uint256) {
        bool isNew = newcomers.has(site);
        uint256 before = isNew ? (members & ~newcomers).size() : 0;
        uint256 peers = isNew ? newcomers : members & ~newcomers;
        uint256 ever = d.ever;
        uint256 never = peers & ~ever;
        if (!ever.has(site)) return before + (never & Bitmap.between(publisher, site)).size();
        return before + never.size() + _earlier(d, peers & ever, site);
    }

    /// @dev The loop is over sites, at most 256, of which eight share a word.
    function _earlier(Drawers storage d, uint256 peers, SiteId site) private view returns (uint256 count) {
        uint256 own = _lastOf(d, site);
        for (uint256 id = 0; peers >> id != 0; ++id) {
            if ((peers >> id) & 1 == 1 && _lastOf(d, SiteId.wrap(uint16(id))) < own) ++count;
        }
    }

    function _lastOf(Drawers storage d, SiteId site) private view returns (uint32) {
        uint256 id = SiteId.unwrap(site);
        return uint32(d.last[id / LANES] >> (32 * (id % LANES)));
    }
}
