// SPDX-License-Identifier: MIT
#ifndef PNR_RECORDING_CONFIG_H
#define PNR_RECORDING_CONFIG_H

// The configurations of a brain and of its engines, as a recording has them: field by field.

#include "node/recording/coder.h"

void recording_config_node(struct recording_coder *coder, struct node_config *config);
void recording_config_cloud(struct recording_coder *coder, struct node_cloud_config *config);
void recording_config_dht(struct recording_coder *coder, struct dht_config *config);

#endif
