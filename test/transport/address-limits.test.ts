import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { networkOf } from '../../src/transport/network.js';
import { AddressLimits } from '../../src/transport/address-limits.js';

describe('AddressLimits', () => {
  it('limits each address to a number of connections', () => {
    const limits = new AddressLimits({ connections: 2, connectsPerMinute: 1000 });
    const first = limits.enter('192.0.2.1');
    assert.ok(first && limits.enter('192.0.2.1'));
    assert.equal(limits.enter('192.0.2.1'), null);
    assert.ok(limits.enter('192.0.2.2'));
    first();
    first();
    assert.ok(limits.enter('192.0.2.1'));
    assert.equal(limits.enter('192.0.2.1'), null);
  });

  it('limits each address to a rate of new connections, and forgets no address that has used it up', () => {
    const limits = new AddressLimits({ connections: 1000, connectsPerMinute: 3 });
    for (let i = 0; i < 3; i++) limits.enter('192.0.2.1')?.();
    for (let i = 0; i < 100; i++) limits.enter(`198.51.100.${i}`)?.();
    assert.equal(limits.enter('192.0.2.1'), null);
  });

  it('treats an IPv6 network as one address', () => {
    const network = '2001:db8:0:1::/64';
    assert.equal(networkOf('2001:db8:0:1:2:3:4:5'), network);
    assert.equal(networkOf('2001:0DB8:0000:0001::9'), network);
    assert.equal(networkOf('2001:db8::2:0:0:1:1'), '2001:db8:0:2::/64');
    assert.equal(networkOf('::1'), '0:0:0:0::/64');
    assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
    assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
  });
});
