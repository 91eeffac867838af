#!/usr/bin/env node
import { createProgram } from './program.js';

const program = await createProgram(process.argv[2]);
await program.parseAsync();
