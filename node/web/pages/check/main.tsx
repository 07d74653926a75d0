import { startPage } from '#web/pages/shared/start.tsx'
import { CheckPage } from './check-page.tsx'
import './check.css'

startPage(<CheckPage />, 'page.title')
