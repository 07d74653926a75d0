import { startPage } from '#web/pages/shared/start.tsx'
import { DeskPage } from './desk-page.tsx'
import './desk.css'

startPage(<DeskPage />, 'page.title')
