'use strict'

require('./lib/register').register()
