import '@fontsource-variable/instrument-sans/index.css';
import '@fontsource/instrument-serif/latin-400.css';
import '@fontsource/instrument-serif/latin-400-italic.css';
import './styles/tokens.css';
import './styles/layout.css';
import './styles/stage.css';
import './styles/invitation.css';
import './styles/composer.css';
import './styles/sources.css';
import './styles/controls.css';
import './styles/readouts.css';
import './styles/drawer.css';
import './styles/keys.css';
import './styles/projection.css';
import './styles/landscape.css';
import './styles/forced-colors.css';
import { render } from 'preact';
import { App } from './views/app.js';
import { Studio } from './studio/studio.js';

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no #app');
// The page may be under a path of a proxy.
const stream = new URL('v1/stream', new URL('.', location.href));
render(<App studio={new Studio(stream.href)} />, root);
