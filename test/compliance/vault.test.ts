import { systemRandom } from '#adapters/host/system-host.ts'
import { addressOf } from '#adapters/sim/hash.ts'
import { SimVault } from '#adapters/sim/vault.ts'
import { vaultOf } from '#adapters/vault/secrets-vault.ts'
import { vaultCompliance } from './vault.ts'

const three = <T>(make: (site: number) => T): [T, T, T] => [make(0), make(1), make(2)]

vaultCompliance('in memory', async () => three((site) => new SimVault(`site ${site}`, addressOf('node', site))))

vaultCompliance('keys of a site', async () =>
  three(() => {
    const key = () => systemRandom.bytes(32)
    return vaultOf({ node: key(), peer: key(), encryption: key(), site: key() }, systemRandom)
  }),
)
