import assert from 'node:assert/strict';
import { it } from 'node:test';
import { secretsHider, withoutSecrets } from '../../src/video/secrets.js';

it('addresses are shown without passwords', () => {
  assert.equal(withoutSecrets('rtmp://ann:se:cret@a/b'), 'rtmp://ann:***@a/b');
  assert.equal(withoutSecrets('rtsp://ann@a/b:c@d'), 'rtsp://ann@a/b:c@d');
  assert.equal(withoutSecrets('rtsp://ann:se@cr@et@a/b'), 'rtsp://ann:***@a/b');
  assert.equal(withoutSecrets('rtsp://ann:se\'cr"et@a/b'), 'rtsp://ann:***@a/b');
  const said = 'Error opening rtsp://ann:secret@a/b: Connection refused';
  assert.equal(withoutSecrets(said), 'Error opening rtsp://ann:***@a/b: Connection refused');
  assert.equal(withoutSecrets('C:\\a:b@c.mp4 and 16:9'), 'C:\\a:b@c.mp4 and 16:9');
});

it('addresses are shown without the keys of streams, and without what a query says', () => {
  assert.equal(withoutSecrets('rtmp://a.example/live2/ab12-cd34'), 'rtmp://a.example/live2/***');
  assert.equal(
    withoutSecrets('rtmps://a:443/app/inner/key?x=1&y=2.'),
    'rtmps://a:443/app/inner/***?x=***&y=***.',
  );
  assert.equal(withoutSecrets('rtmp://a/live'), 'rtmp://a/live');
  assert.equal(withoutSecrets('rtsp://a/live/street'), 'rtsp://a/live/street');
  assert.equal(
    withoutSecrets('srt://a:9000?mode=caller&passphrase=b@c#d'),
    'srt://a:9000?mode=***&passphrase=***#d',
  );
  assert.equal(
    withoutSecrets('"rtmp://a/b/key", rtmp://a/b/key: refused'),
    '"rtmp://a/b/***", rtmp://a/b/***: refused',
  );
});

it('secrets of known addresses are hidden where they stand alone', () => {
  const hide = secretsHider(['in.mp4', 'rtmp://ann:correct-horse@a/live/ab12-cd34', 'srt://b:1?mode=x']);
  assert.equal(
    hide("Server error: no application takes 'ab12-cd34' from ann with correct-horse"),
    "Server error: no application takes '***' from ann with ***",
  );
  assert.equal(hide('rtmp://a/live/ab12-cd34: x is refused'), 'rtmp://a/live/***: x is refused');
});
