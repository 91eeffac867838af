import '@fontsource-variable/instrument-sans/index.css';
import '@fontsource/instrument-serif/latin-400.css';
import 'uplot/dist/uPlot.min.css';
import '../styles/tokens.css';
import '../styles/layout.css';
import '../styles/dashboard.css';
import '../styles/sessions.css';
import '../styles/forced-colors.css';
import { render } from 'preact';
import { Feed } from './feed.js';
import { settleLanguage } from './language.js';

const root = document.getElementById('app');
if (root === null) throw new Error('dashboard.html has no #app');
const feed = new Feed();
feed.start();
settleLanguage();
// Imported only now, since it loads uPlot, which needs a valid language.
const { Dashboard } = await import('./dashboard.js');
render(<Dashboard feed={feed} />, root);
