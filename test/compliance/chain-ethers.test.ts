import { chainCompliance } from './chain.ts'
import { anvilWorld } from './ethers-world.ts'

chainCompliance('contracts behind ethers, on a chain process', (sites) => anvilWorld(sites))
